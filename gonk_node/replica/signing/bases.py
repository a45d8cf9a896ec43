"""Which revision a person's change builds on, and which revisions stand in the way of a new one. It signs nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gonk_node.core.ids import uuid_text
from gonk_node.errors import NotFoundError, WrongStateError
from gonk_node.replica.reading.queries import Revision
from gonk_node.replica.signing.author import Author


class Bases:
    """The same for one author."""

    def __init__(self, author: Author) -> None:
        self.author = author
        self._queries = author.queries

    def check_base(self, base: Revision) -> None:
        """WrongStateError unless an update may be built on that revision: open, and nothing newer of it is accepted."""
        where = f"{base.type_name} {uuid_text(base.uuid)} version {base.version}"
        if not is_open(base):
            raise WrongStateError(f"the version to build on is {' and '.join(base.views)}", where=where)
        current = self._queries.current(base.kind, base.uuid)
        if current is not None and not base.current and (base.version or 0) <= (current.version or 0):
            raise WrongStateError(
                f"version {current.version} is what counts now", where=where, hint="build on that one instead"
            )

    def base_of(self, revisions: Sequence[Revision], version: int | None = None) -> Revision:
        """The revision that is meant where none is named: of that version, else the current one, else the newest open one."""
        if version is not None:
            chosen = next((each for each in revisions if each.version == version and each.named), None)
            if chosen is None:
                raise NotFoundError(f"there is no version {version}", where=uuid_text(revisions[0].uuid))
            return chosen
        current = next((each for each in revisions if each.current), None)
        newest = next((each for each in reversed(revisions) if is_open(each)), None)
        chosen = current or newest
        if chosen is None:
            raise WrongStateError("all of its versions are rejected or deleted", where=uuid_text(revisions[0].uuid))
        return chosen

    def update_base(self, revisions: Sequence[Revision], version: int | None = None) -> Revision:
        """The revision that an update builds on: as `base_of`, but behind what its author has proposed on that already.

        So the changes that somebody makes one after the other are one after the other, and not rivals once all are accepted.
        """
        base = self.base_of(revisions, version)
        if version is not None:
            return base
        line = {base.number}
        for each in sorted(revisions, key=lambda each: each.version or 0):
            if each.base in line and each.author == self.author.key and is_open(each):
                line.add(each.number)
        mine = [each for each in revisions if each.number in line]
        return max(mine, key=lambda each: (each.version or 0, each.number))

    def latest(self, revisions: Sequence[Revision], known: Collection[bytes] = ()) -> Revision:
        """The revision that an update in Gonk's way builds on: the highest version, whatever its status.

        What strangers proposed counts only where there is nothing else: nobody unknown decides what others build on. Neither
        does it matter that a stranger's revision of the same version came first, and answers to it.

        Args:
            revisions: all of one entity.
            known: keys that are no strangers, though no owner vouched for them: of the other users of this node.

        Raises:
            NotFoundError: there is none, or all wait for entries that are not here.
        """
        held = [each for each in revisions if each.version is not None]
        if not held:
            raise NotFoundError("there is no version of it here", hint="gonk sync DATASET fetches what it waits for")
        counting = self.standing(held, known) or held
        return max(counting, key=lambda each: (each.version or 0, each.named, each.number))

    def standing(self, revisions: Sequence[Revision], known: Collection[bytes] = ()) -> list[Revision]:
        """Those that stand in the way of a new one: not what strangers proposed to take a name or content."""
        return [
            each
            for each in revisions
            if each.version is not None
            and (each.vouched or each.current or each.author == self.author.key or each.author in known)
        ]


def is_open(revision: Revision) -> bool:
    """Whether something may be built on a revision: it takes effect, and is neither rejected nor deleted."""
    return not {"rejected", "deleted", "waiting"} & set(revision.views)
