"""Makes dataset folders as Gonk 0.1.4 writes them: the log as linked files with its hash chain, and the depot.

Written from Gonk's contract, without the reader of the package. It checks no rules: tests decide what is in a log.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

Id = tuple[str, int]  # uuid and version


class GonkFolder:
    """One dataset folder that grows by events; the seed decides all uuids.

    Attributes:
        path: of the folder.
        events: uuids of all events, in order.
        author: who does things, unless a method is told otherwise.
    """

    def __init__(self, path: Path, seed: int = 0, owner: str = "alice") -> None:
        self.path = path
        self.events: list[str] = []
        self.author = owner
        self._random = Random(seed)
        self._integrity = b""
        self._versions: dict[str, int] = {}
        self._seconds = 0
        (path / "rk" / "events").mkdir(parents=True)
        (path / "depot").mkdir()
        self.add_owner(owner)

    # --- what people do ---------------------------------------------------------------------------------

    def add_owner(self, name: str) -> str:
        return self._add("OwnerAddEvent", name.encode() + b"\1", {"owner": name, "owner_action": 1})

    def remove_owner(self, name: str) -> str:
        return self._add("OwnerRemoveEvent", name.encode() + b"\2", {"owner": name, "owner_action": 2})

    def object(self, name: str, data: bytes, media_type: str = "image/png", *, of: str = "", author: str = "") -> Id:
        """Create an object, or update the one with the uuid `of`."""
        uuid, version = self._next(of)
        digest = hashlib.sha256(data).hexdigest()
        made = {
            "uuid": uuid,
            "version": version,
            "name": name,
            "format": media_type,
            "size": len(data),
            "hash_type": 1,
            "hash": digest,
        }
        hashed = _id((uuid, version)) + name.encode() + media_type.encode() + struct.pack("<QB", len(data), 1)
        self._keep((uuid, version), data)
        kind, action = ("ObjectUpdateEvent", 2) if of else ("ObjectCreateEvent", 1)
        fields = {"action": action, "object": made}
        self._add(kind, bytes([action]) + hashed + bytes.fromhex(digest), fields, author)
        return uuid, version

    def schema(self, name: str, document: Any, *, of: str = "", author: str = "") -> Id:
        """Create a schema, or update the one with the uuid `of`."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        return self.object(name, data, "application/schema+json", of=of, author=author)

    def annotate(self, objects: list[Id], schema: Id, body: Any, *, of: str = "", author: str = "") -> Id:
        """Create an annotation, or update the one with the uuid `of` (no objects are named then)."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        uuid, version = self._next(of)
        digest = hashlib.sha256(data).hexdigest()
        made = {
            "uuid": uuid,
            "version": version,
            "schema": {"uuid": schema[0], "version": schema[1]},
            "size": len(data),
            "hash_type": 1,
            "hash": digest,
        }
        hashed = _id((uuid, version)) + _id(schema) + struct.pack("<QB", len(data), 1) + bytes.fromhex(digest)
        self._keep((uuid, version), data)
        if of:
            self._add("AnnotationUpdateEvent", b"\2" + hashed, {"action": 2, "annotation": made}, author)
        else:
            names = b"".join(map(_id, objects))
            named = [{"uuid": each, "version": number} for each, number in objects]
            fields = {"action": 1, "annotation": made, "object_identifiers": named}
            self._add("AnnotationCreateEvent", b"\1" + names + hashed, fields, author)
        return uuid, version

    def delete(self, target: Id, *, is_annotation: bool = False, author: str = "") -> str:
        what = "annotation" if is_annotation else "object"
        named = {"uuid": target[0], "version": target[1]}
        fields = {"action": 4, f"{what}_identifier": named}
        return self._add(f"{what.capitalize()}DeleteEvent", b"\4" + _id(target), fields, author)

    def review(self, event: str = "", *, accept: bool = True, author: str = "") -> str:
        """Decide an event; by default the last one."""
        event = event or self.events[-1]
        kind, decision = ("ReviewAcceptEvent", 1) if accept else ("ReviewRejectEvent", 2)
        fields = {"decision": decision, "event_uuid": event}
        return self._add(kind, bytes([decision]) + UUID(event).bytes, fields, author)

    # --- files ------------------------------------------------------------------------------------------

    def event_file(self, uuid: str) -> Path:
        return self.path / "rk" / "events" / uuid[0] / uuid[1] / uuid[2] / uuid

    def content_file(self, of: Id) -> Path:
        name = f"{of[0]}.{of[1]}"
        return self.path / "depot" / name[0] / name[1] / name[2] / name

    def change(self, uuid: str, **members: Any) -> None:
        """Write other members into the file of an event, behind the chain's back."""
        path = self.event_file(uuid)
        path.write_text(json.dumps(json.loads(path.read_text()) | members))

    def _uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def _next(self, of: str) -> Id:
        uuid = of or self._uuid()
        self._versions[uuid] = self._versions.get(uuid, -1) + 1
        return uuid, self._versions[uuid]

    def _keep(self, of: Id, data: bytes) -> None:
        path = self.content_file(of)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _add(self, kind: str, hashed: bytes, fields: dict[str, Any], author: str = "") -> str:
        uuid = self._uuid()
        self._seconds += 1
        timestamp = (
            f"2023-09-27T{self._seconds // 3600:02}:{self._seconds // 60 % 60:02}:{self._seconds % 60:02}.000001Z"
        )
        preimage = UUID(uuid).bytes + timestamp.encode() + hashed
        self._integrity = hashlib.sha256(self._integrity + preimage).digest()
        event = {
            "uuid": uuid,
            "timestamp": timestamp,
            "integrity": self._integrity.hex(),
            "author": author or self.author,
            **fields,
            "type": kind,
            "next": None,
        }
        path = self.event_file(uuid)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(event))
        if self.events:
            self.change(self.events[-1], next=uuid)
        else:
            (self.path / "rk" / "head").write_text(uuid)
        (self.path / "rk" / "tail").write_text(uuid)
        self.events.append(uuid)
        return uuid


def _id(of: Id) -> bytes:
    return UUID(of[0]).bytes + struct.pack("<Q", of[1])
