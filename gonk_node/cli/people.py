"""Who somebody is, in words: a name, always with the fingerprint of the key, because anybody can call himself anything."""

from __future__ import annotations

from typing import Any

from gonk_node.cli.text import safe, short
from gonk_node.core.events import ROLE_NAMES
from gonk_node.core.keys import parse_author
from gonk_node.errors import AmbiguousError, NotFoundError, UsageError
from gonk_node.replica.reading.queries import Queries
from gonk_node.replica.replica import Replica

NAME_CHARS_MAX = 40
_PREFIX_DIGITS_MIN = 8


class People:
    """The keys of one dataset."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._queries = Queries(replica.db)
        self._names: dict[bytes, str | None] = {}

    def name(self, key: bytes) -> str | None:
        """What the key calls itself here, else what an owner called it when adding it."""
        if key not in self._names:
            role = self._replica.authority.roles.get(key)
            self._names[key] = self._queries.display_name(key) or (role.display_name if role else "") or None
        return self._names[key]

    def who(self, key: bytes) -> str:
        """`Ada (1f2e3d4c)`; for a key without a role, a name that it chose itself stands in quotation marks."""
        name = safe(self.name(key) or "", NAME_CHARS_MAX)
        if not name:
            return short(key)
        return f"{name} ({short(key)})" if self.role(key) else f'"{name}" ({short(key)})'

    def role(self, key: bytes) -> str | None:
        """The name of the role that the key has now; None for a stranger, or one that was removed."""
        role = self._replica.authority.role_now(key)
        return None if role is None else ROLE_NAMES[role]

    def json(self, key: bytes) -> dict[str, Any]:
        """The key with its name and role."""
        return {"key": key.hex(), "name": self.name(key), "role": self.role(key)}

    def find(self, text: str) -> bytes:
        """The key of 64 hex digits, or the one known here that begins so (8 digits or more). Never by name.

        Raises:
            UsageError: it is no key. NotFoundError, AmbiguousError: no known key begins so, or several do.
        """
        if len(text) >= 64:
            return parse_author(text)
        if len(text) < _PREFIX_DIGITS_MIN or text.lower().strip("0123456789abcdef"):
            raise UsageError(
                f"{text!r} is not a key, nor the beginning of one",
                hint="give 8 to 64 hex digits; names do not identify anybody, since anybody can choose one",
            )
        known = sorted({*self._queries.authors(), *self._replica.authority.roles})
        found = [key for key in known if key.hex().startswith(text.lower())]
        if not found:
            raise NotFoundError(f"no key that is known here begins with {text}", hint="give all 64 digits of the key")
        if len(found) > 1:
            raise AmbiguousError(f"{len(found)} keys begin with {text}", hint=f"give all 64 digits: {found[0].hex()}")
        return found[0]
