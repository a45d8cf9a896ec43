"""What files that cite a release say of it. All of it follows from the release, so that every node writes the same.

Texts are as they were signed; the properties give them as other programs may read them. Where the facts come from is for
`replica.releases.citing`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from gonk_node.core.limits import CITED_NAME_CHARS_MAX
from gonk_node.core.plural import plural
from gonk_node.core.safe_text import safe, safe_lines
from gonk_node.core.times import time_json
from gonk_node.state.release_notes import ReleaseNotes

_TITLE_CHARS_MAX = 1024


@dataclass(frozen=True, slots=True)
class Person:
    """Who made something.

    Attributes:
        key: Ed25519 public key, 32 bytes.
        name: what the key calls itself: anything; "" for nothing.
    """

    key: bytes
    name: str

    @property
    def called(self) -> str:
        """The name on one line, of bounded length; the key's first 8 digits where there is none."""
        return safe(self.name, CITED_NAME_CHARS_MAX).strip() or self.key.hex()[:8]


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """A release, for citing it.

    Attributes:
        dataset: its id, 32 bytes.
        name: of the dataset, as its genesis says.
        about: likewise, its description.
        tag: of the release.
        notes: of the release.
        time_ms: when it was signed, milliseconds since 1970 UTC, as its owner states.
        publisher: who signed it.
        creators: whose objects and annotations are in it, up to CITED_CREATORS_MAX; who made most comes first.
        unnamed: how many creators there are besides.
        manifest_hash: 32 bytes.
        entry: the id of its entry, 32 bytes.
        event: the uuid of its event, as text.
        objects: how many it lists.
        annotations: how many it lists.
    """

    dataset: bytes
    name: str
    about: str
    tag: str
    notes: ReleaseNotes
    time_ms: int
    publisher: Person
    creators: tuple[Person, ...]
    unnamed: int
    manifest_hash: bytes
    entry: bytes
    event: str
    objects: int
    annotations: int

    @property
    def title(self) -> str:
        """The name of the dataset on one line."""
        return safe(self.name, _TITLE_CHARS_MAX)

    @property
    def version(self) -> str:
        """The tag on one line."""
        return safe(self.tag, _TITLE_CHARS_MAX)

    @property
    def description(self) -> str:
        """What the dataset and the release are; never empty."""
        said = (safe_lines(text) for text in (self.about, self.notes.text))
        held = f"{plural(self.objects, 'object')} and {plural(self.annotations, 'annotation')}"
        counts = f"{self.title}, release {self.version}: {held}."
        return "\n\n".join(text for text in said if text) or counts

    @property
    def date(self) -> str:
        """The day on which it was signed, in UTC: 2026-01-31; "" for a time that no calendar has."""
        return (time_json(self.time_ms) or "")[:10]

    @property
    def named(self) -> tuple[Person, ...]:
        """The creators; who signed the release where nobody made anything."""
        return self.creators or (self.publisher,)

    @property
    def authors(self) -> list[str]:
        """What they are called, each once; with the beginning of the key where several call themselves the same."""
        often = Counter(person.called for person in self.named)
        names = (
            person.called if often[person.called] == 1 else f"{person.called} ({person.key.hex()[:16]})"
            for person in self.named
        )
        return list(dict.fromkeys(names))

    @property
    def identifiers(self) -> list[tuple[str, str]]:
        """(what it is, the identifier) of all by which the release is known among nodes."""
        return [
            ("gonk-node dataset", self.dataset.hex()),
            ("gonk-node release manifest hash", self.manifest_hash.hex()),
            ("gonk-node release entry", self.entry.hex()),
            ("gonk-node release event", self.event),
        ]
