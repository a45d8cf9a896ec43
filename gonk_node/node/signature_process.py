"""Checks the signatures of a batch in another process while the batch before it is folded here.

libsodium's check is a third of the work on an entry of one event, and Python runs one thread at a time; a second process
takes it off this one. Its word is taken only where it says that a signature holds: whatever else happens (it says no, ends,
hangs, was never started) the write path checks for itself, so verdicts and errors are the same without it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import ClassVar

from gonk_node.core.limits import (
    SIGNATURE_BATCH_MIN,
    SIGNATURE_BATCH_SECONDS,
    SIGNATURE_PROCESS_IDLE_SECONDS,
)
from gonk_node.net.replica_port import Checked
from gonk_node.node import signature_worker

_log = logging.getLogger(__name__)


class SignatureProcess:
    """One helper process, started when there is work for it, ended when there is none for a while.

    Called on one event loop.
    """

    _running: ClassVar[int] = 0  # in this process; each takes a processor

    def __init__(self) -> None:
        self._waiting: deque[tuple[list[bytes], Checked]] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._given_up = False

    def check(self, records: Sequence[bytes]) -> Checked | None:
        """Begin to check records that will be ingested soon; None where that gains nothing.

        Args:
            records: as they came; none is trusted.
        """
        if len(records) < SIGNATURE_BATCH_MIN or self._given_up or not self._may_run():
            return None
        checked: Checked = Future()
        self._waiting.append((list(records), checked))
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return checked

    async def close(self) -> None:
        """End the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # --- inside ------------------------------------------------------------------------------------------------

    def _may_run(self) -> bool:
        return self._task is not None or SignatureProcess._running < _processors() - 1

    async def _run(self) -> None:
        SignatureProcess._running += 1
        process: asyncio.subprocess.Process | None = None
        try:
            process = await _start()
            await _ready(process)
            await self._serve(process)
        except (OSError, EOFError, TimeoutError) as error:
            self._given_up = True
            _log.warning("signatures are checked without a second process from here on: %r", error)
        finally:
            SignatureProcess._running -= 1
            self._task = None
            while self._waiting:
                self._waiting.popleft()[1].cancel()
            if process is not None:
                await _end(process)

    async def _serve(self, process: asyncio.subprocess.Process) -> None:
        """Answer what waits, until nothing came for a while."""
        while True:
            while self._waiting:
                records, checked = self._waiting.popleft()
                if checked.set_running_or_notify_cancel():
                    await _answer(process, records, checked)
            self._wake.clear()
            try:
                async with asyncio.timeout(SIGNATURE_PROCESS_IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                return


def found_signed(checked: Checked | None) -> Sequence[bool]:
    """What was found of a batch that is to be ingested now, for each record or for none; not on the event loop.

    Where the process is at it, this waits; what it has not begun yet is taken from it, since nothing is gained any more.
    """
    if checked is None or checked.cancel():
        return ()
    try:
        return checked.result(SIGNATURE_BATCH_SECONDS)
    except TimeoutError:
        return ()


async def _answer(process: asyncio.subprocess.Process, records: list[bytes], checked: Checked) -> None:
    """Have one batch checked; whatever happens, whoever waits for it goes on."""
    signed: Sequence[bool] = ()
    try:
        async with asyncio.timeout(SIGNATURE_BATCH_SECONDS):
            if process.stdin is not None and process.stdout is not None:
                process.stdin.write(signature_worker.encode_request(records))
                signed = [found == 1 for found in await process.stdout.readexactly(len(records))]
    finally:
        checked.set_result(signed)


async def _start() -> asyncio.subprocess.Process:
    # -P: else a module in the working folder could be imported in the place of an installed one.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", signature_worker.__name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _ready(process: asyncio.subprocess.Process) -> None:
    """Wait until it takes requests; meanwhile none is given to it, and so nobody waits."""
    async with asyncio.timeout(SIGNATURE_BATCH_SECONDS):
        if process.stdout is not None:
            await process.stdout.readexactly(len(signature_worker.READY))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()  # it holds nothing that could be lost
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()


def _processors() -> int:
    """Of this process, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
