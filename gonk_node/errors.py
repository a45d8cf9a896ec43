"""Every error that gonk raises on purpose: one tree, with a stable code, an exit code and an HTTP status for each.

Nothing else decides exit codes or statuses. The tree:

    GonkError
    ├── UsageError            you asked for something that cannot be
    │   ├── NotFoundError         what you named is not here
    │   ├── AmbiguousError        what you named fits several things
    │   ├── MissingExtraError     a library that this needs is not installed
    │   └── RequestError          a request to the HTTP API that is refused; carries its own status
    ├── RefusedError          the rules of the dataset forbid it; nothing was signed
    │   ├── ExistsError           it is here already
    │   ├── NotAllowedError       your key lacks the role
    │   ├── WrongStateError       wrong base, already decided, already deleted, …
    │   └── NonconformingError    a body does not fit its schema, or a schema is none
    ├── OutputError           standard output cannot be written
    ├── InputFileError        a file that you gave cannot be read as what it should be
    ├── VerificationError     bytes that claim to be something they are not
    │   ├── InvalidEntryError     an entry breaks a V-rule
    │   ├── ContentMismatchError  a chunk, a chunk list or a whole file does not match its id
    │   ├── ReleaseError          a release is not what it says, or nobody's who may release
    │   ├── ErasedError           what a release names was erased since it was made
    │   ├── NotHeldError          entries or bodies that are to be judged are not on this node
    │   └── DamagedStoreError     what this node stored has changed on the disk
    ├── PeerError             the other node
    │   ├── PeerUnavailableError  cannot be reached, or went away
    │   ├── WrongPeerError        another key than its address says
    │   └── ProtocolError         it broke the sync protocol
    ├── StorageError          this node's disk
    │   ├── DiskFullError         no space left, or the map cannot grow
    │   ├── ReadOnlyError         its folder may be read and not changed
    │   └── StoreLockedError      another process holds what we need
    ├── BusyError             this node has more to do than it takes, or is stopping; nothing was done
    ├── KeyFileError          a key file is missing, damaged, too open, or the passphrase is wrong
    ├── UnsafeLibraryError    a library gives other verdicts than the network's; the node refuses to start
    ├── ConflictsError        done, but conflicts are open
    └── PartialError          part of it is done; run the same command again to go on
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar


class GonkError(Exception):
    """Base of all: `what` happened, `where`, and the `hint` that says what to do next.

    Args:
        what: one sentence in plain words, without the place.
        where: the place (file and line, entry id and rule, peer address, …), or None.
        hint: the next step, often a command, or None.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    fault: ClassVar[str] = "gonk"

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = self.what if self.where is None else f"{self.where}: {self.what}"
        return text if self.hint is None else f"{text} ({self.hint})"

    def in_dataset(self, name: str) -> GonkError:
        """The same error, its hint naming the dataset: the layers that know the rules do not know what it is called here."""
        if self.hint is not None:
            self.hint = re.sub(r"\bDATASET\b", lambda _: name, self.hint)
        return self

    def as_dict(self) -> dict[str, str | None]:
        """The error as plain data, for `--json` and HTTP answers."""
        return {
            "code": self.code,
            "what": self.what,
            "where": self.where,
            "fault": self.fault,
            "hint": self.hint,
        }


class UsageError(GonkError):
    """You asked for something that cannot be."""

    code, exit_code, http_status, fault = "usage", 2, 400, "you"


class NotFoundError(UsageError):
    """What you named is not here."""

    code, exit_code, http_status = "not-found", 1, 404


class AmbiguousError(UsageError):
    """What you named fits several things."""

    code, exit_code, http_status = "ambiguous", 1, 409


class MissingExtraError(UsageError):
    """A library that this needs, and that gonk does without otherwise, is not installed."""

    code, exit_code, http_status = "missing-extra", 1, 501


class RequestError(UsageError):
    """A request to the HTTP API that is refused for its form, its key, its size or where it comes from.

    Args:
        status: of the answer, 400 to 499, or 503.
        what: as for every error.
        name: the class name that Gonk's clients find in its place in the answer; None: plain text there.
        extra: further keys of the answer.
    """

    code = "request"

    def __init__(
        self,
        status: int,
        what: str,
        *,
        name: str | None = None,
        extra: Mapping[str, object] | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.http_status = int(status)  # type: ignore[misc]  # the one class of which each error has its own
        self.name = name
        self.extra = dict(extra or {})


class RefusedError(GonkError):
    """The rules of the dataset forbid it; nothing was signed."""

    code, exit_code, http_status, fault = "refused", 1, 409, "you"


class ExistsError(RefusedError):
    """It is here already."""

    code = "exists"


class NotAllowedError(RefusedError):
    """Your key lacks the role that this needs."""

    code, http_status = "not-allowed", 403


class WrongStateError(RefusedError):
    """Wrong base, already decided, already deleted, and the like."""

    code = "wrong-state"


class NonconformingError(RefusedError):
    """A body does not fit its schema, or a schema document is no (acceptable) JSON Schema."""

    code, http_status = "nonconforming", 422


class OutputError(GonkError):
    """Standard output cannot be written: a full disk, a terminal that is gone."""

    code, fault = "output", "you"


class InputFileError(GonkError):
    """A file that you gave cannot be read as what it should be."""

    code, exit_code, http_status, fault = "input-file", 1, 400, "you"


class VerificationError(GonkError):
    """Bytes that claim to be something they are not."""

    code, exit_code, http_status, fault = "verification", 4, 422, "author"


class InvalidEntryError(VerificationError):
    """An entry breaks a verification rule of the spec; `rule` is its number, "V1" … "V7"."""

    code = "invalid-entry"

    def __init__(self, rule: str, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{what} (rule {rule})", where=where, hint=hint)
        self.rule = rule


class ContentMismatchError(VerificationError):
    """A chunk, a chunk list or a whole file does not match its id."""

    code, fault = "content-mismatch", "peer"


class ReleaseError(VerificationError):
    """A release is not what its log says, or was signed by one who may not release."""

    code = "release"


class ErasedError(VerificationError):
    """Bodies that a release stands on were erased since, by those who may; nobody can verify it whole any more."""

    code, fault = "erased", "nobody"


class NotHeldError(VerificationError):
    """Entries or bodies that are to be judged are not on this node."""

    code, fault = "not-held", "peer"


class DamagedStoreError(VerificationError):
    """What this node stored has changed on the disk."""

    code, http_status, fault = "damaged-store", 500, "disk"


class PeerError(GonkError):
    """Something is wrong with, or at, the other node."""

    code, exit_code, http_status, fault = "peer", 3, 502, "peer"


class PeerUnavailableError(PeerError):
    """The peer cannot be reached, went away, or is too slow."""

    code = "peer-unavailable"


class WrongPeerError(PeerError):
    """Who answers has another key than the address says."""

    code, exit_code = "wrong-peer", 4


class ProtocolError(PeerError):
    """The peer broke the sync protocol (malformed, replayed, oversized or unexpected message)."""

    code, exit_code = "protocol", 4


class StorageError(GonkError):
    """This node's disk failed; signing stops until the process is started anew."""

    code, http_status, fault = "storage", 500, "disk"


class DiskFullError(StorageError):
    """No space left on the device, or the map cannot grow."""

    code, http_status = "disk-full", 507


class ReadOnlyError(StorageError):
    """This node's folder may be read and not changed: a read-only mount, or another user's."""

    code, http_status, fault = "read-only", 503, "you"


class StoreLockedError(StorageError):
    """Another process holds what we need."""

    code, http_status = "locked", 503


class BusyError(GonkError):
    """This node has more to do than it takes on, or is stopping; nothing was done."""

    code, http_status = "busy", 503


class KeyFileError(GonkError):
    """A key file is missing, damaged or readable by others, or the passphrase is wrong."""

    code, fault = "key-file", "you"


class UnsafeLibraryError(GonkError):
    """A library judges signatures otherwise than every other node does; this node must not start."""

    code, exit_code = "unsafe-library", 4


class ConflictsError(GonkError):
    """It is done, but conflicts are open."""

    code, exit_code, http_status, fault = "conflicts", 5, 409, "you"


class PartialError(GonkError):
    """Part of it is done and kept; the same command goes on from there."""

    code, exit_code, http_status, fault = "partial", 6, 503, "peer"
