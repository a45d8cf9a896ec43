"""How golden entries stand in files: JSON for people and for other implementations, in hex, long runs counted.

`record_runs` is a list of [hex, times]: the record is those pieces, each repeated. A record of 4 MiB takes a few lines.
The form is described in docs/spec/05-verification.md.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from blake3 import blake3

from gonk_node.core.entry import Entry, Header
from gonk_node.core.event_codec import KINDS, kind_name
from gonk_node.core.events import Event, UnknownEvent
from gonk_node.core.ids import EventRef, event_uuid, uuid_text
from kit.source_tree import ROOT
from kit.valid_vectors import Vector

FOLDER = ROOT / "tests" / "vectors" / "entries"
MANIFEST = FOLDER / "MANIFEST"  # a line for each file: BLAKE3 and name, in order of writing
PLAIN_BYTES_MAX = 2048  # longer records are written as runs
_RUN = re.compile(rb"(.{1,48}?)\1{15,}", re.DOTALL)  # 16 times the same or more

Json = dict[str, Any]


def digest(path: Path) -> str:
    """The BLAKE3 of a file, in hex."""
    return blake3(path.read_bytes()).hexdigest()


def read_manifest(text: str) -> dict[str, str]:
    """Name → BLAKE3 of every file, in the order in which they were added."""
    return {name: value for value, name in (line.split("  ") for line in text.splitlines())}


def load(path: Path) -> tuple[Vector, Json]:
    """A golden entry, and all that its file says."""
    said = json.loads(path.read_text(encoding="utf-8"))
    record = from_runs(said["record_runs"]) if "record_runs" in said else bytes.fromhex(said["record"])
    dataset = None if said["dataset"] is None else bytes.fromhex(said["dataset"])
    prev = None if said["prev"] is None else _header(said["prev"])
    return Vector(said["what"], record, dataset, prev, said.get("rule")), said


def dump(vector: Vector, entry: Entry | None) -> str:
    """The file of a golden entry; `entry` is what a valid one decodes to."""
    said: Json = {"what": vector.what}
    if vector.rule is not None:
        said["rule"] = vector.rule
    said["dataset"] = None if vector.dataset is None else vector.dataset.hex()
    said["prev"] = None if vector.prev is None else header_json(vector.prev)
    if entry is not None:
        said |= describe(entry)
    if len(vector.record) <= PLAIN_BYTES_MAX:
        said["record"] = vector.record.hex()
    else:
        said["record_bytes"] = len(vector.record)
        said["record_blake3"] = blake3(vector.record).hexdigest()
        said["record_runs"] = to_runs(vector.record)
    return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def describe(entry: Entry) -> Json:
    """What a record decodes to, as JSON: bytes in hex, references as {entry_id, index}."""
    hashes = entry.event_hashes()
    events = []
    for index, event in enumerate(entry.events()[:_EVENTS_SHOWN]):
        shown: Json = {"hash": hashes[index].hex(), "uuid": uuid_text(event_uuid(EventRef(entry.entry_id, index)))}
        events.append(shown | ({"withheld": True} if event is None else _event_json(event)))
    return {
        "entry_id": entry.entry_id.hex(),
        "header": header_json(entry.header),
        "signature": entry.signature.hex(),
        "events": events,
    }


_EVENTS_SHOWN = 8
_VALUES_SHOWN = 8
_BYTES_SHOWN = 1100  # the longest name and somewhat more


def _event_json(event: Event) -> Json:
    if isinstance(event, UnknownEvent):
        return {"kind": kind_name(event), "number": event.kind}
    number = next(kind.number for kind in KINDS if kind.make is type(event))
    return {"kind": kind_name(event), "number": number, "fields": plain(event._asdict())}


def plain(value: Any) -> Any:
    """A value of an event as JSON; long byte strings, texts and lists are given by their length."""
    if isinstance(value, bytes):
        return value.hex() if len(value) <= _BYTES_SHOWN else {"bytes": len(value)}
    if isinstance(value, str) and len(value) > _BYTES_SHOWN:
        return {"characters": len(value)}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value] if len(value) <= _VALUES_SHOWN else {"items": len(value)}
    return value


def header_json(header: Header) -> Json:
    """A header as JSON."""
    return dict(plain(header._asdict()))


def _header(said: Json) -> Header:
    return Header(**{name: bytes.fromhex(value) if isinstance(value, str) else value for name, value in said.items()})


def to_runs(data: bytes) -> list[list[Any]]:
    """Cut bytes into pieces with counts; pieces that do not repeat count 1."""
    runs: list[list[Any]] = []
    done = 0
    for match in _RUN.finditer(data):
        if match.start() > done:
            runs.append([data[done : match.start()].hex(), 1])
        unit = match.group(1)
        runs.append([unit.hex(), len(match.group(0)) // len(unit)])
        done = match.end()
    if done < len(data):
        runs.append([data[done:].hex(), 1])
    return runs


def from_runs(runs: list[list[Any]]) -> bytes:
    """The bytes that `to_runs` cut."""
    return b"".join(bytes.fromhex(piece) * times for piece, times in runs)
