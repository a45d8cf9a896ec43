"""Which source is asked next, and which no more: the judgement on the peers of one download.

A wrong answer costs a source that file; several of them, a stall or a broken connection cost it the whole download.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from gonk_node.core.limits import CONTENT_MISBEHAVIOURS_MAX, CONTENT_REQUESTS_PER_TOKEN
from gonk_node.errors import ContentMismatchError, GonkError, PeerError, PeerUnavailableError, ProtocolError
from gonk_node.net.content_source import ContentSource, Miss

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Member:
    """One source, and how it has done so far."""

    source: ContentSource
    name: str
    requests: int = 0
    misbehaviours: int = 0
    dropped: PeerError | ContentMismatchError | None = None


Tried: TypeAlias = dict[Member, GonkError | Miss]
"""Who was asked in vain for a file (or for the files of one batch), and what came of it."""


class SourcePool:
    """The sources of one download."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._changed = asyncio.Condition()

    async def ask(self, tried: Tried, request: Callable[[ContentSource], Awaitable[T | Miss]]) -> T | None:
        """Make a request of one source after the other, until one answers it.

        Args:
            tried: sources that are not to be asked; those asked in vain are added.
            request: makes the request of the source given.

        Returns:
            The answer, or None where no source is left; `reason` then says why.
        """
        while (member := await self._take(tried)) is not None:
            try:
                answer = await request(member.source)
            except (ContentMismatchError, ProtocolError) as error:
                tried[member] = error
                member.misbehaviours += 1
                if member.misbehaviours >= CONTENT_MISBEHAVIOURS_MAX:
                    member.dropped = error
            except PeerError as error:
                tried[member] = member.dropped = error
            else:
                if not isinstance(answer, Miss):
                    return answer
                tried[member] = answer
            finally:
                await self._give_back(member)
        return None

    def reason(self, tried: Tried, where: str) -> GonkError:
        """Why nobody gave what was asked for, in one error: a lie before a failure before an absence."""
        if Miss.WRONG_SIZE in tried.values():
            return ContentMismatchError(Miss.WRONG_SIZE.value, where=where)
        found = [*tried.values(), *(member.dropped for member in self._members)]
        errors = [error for error in found if isinstance(error, GonkError)]
        for error in errors:
            if isinstance(error, ContentMismatchError):
                return error
        is_alone = len(self._members) == 1
        if errors:
            what = errors[0].what if is_alone else f"no peer gave it: {errors[0]}"
            return PeerUnavailableError(what, where=where)
        what = Miss.NOT_HELD.value if is_alone else "no peer has it"
        return PeerUnavailableError(what, where=where, hint="sync again once a peer that has it is there")

    def misbehaved(self) -> dict[str, int]:
        """Name of each source that answered with what it should not -> how often."""
        return {member.name: member.misbehaviours for member in self._members if member.misbehaviours}

    async def _take(self, tried: Tried) -> Member | None:
        """The least busy source that may be asked, once there is one that is not too busy; None: none is left."""
        async with self._changed:
            while True:
                left = [member for member in self._members if not member.dropped and member not in tried]
                if not left:
                    return None
                member = min(left, key=lambda member: member.requests)
                if member.requests < CONTENT_REQUESTS_PER_TOKEN:
                    member.requests += 1
                    return member
                await self._changed.wait()

    async def _give_back(self, member: Member) -> None:
        async with self._changed:
            member.requests -= 1
            self._changed.notify_all()
