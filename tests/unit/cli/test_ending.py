"""A command that is stopped: SIGTERM goes the way of Ctrl-C, wherever the command is; and output that nobody takes."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from gonk_node.cli.ending import INTERRUPTED, TERMINATED, Ending, stoppable, writing
from gonk_node.errors import OutputError


def terminated(step: Callable[[], Any]) -> Ending:
    """Run something that gets SIGTERM; it must be interrupted, and the handler from before must be back."""
    before = signal.getsignal(signal.SIGTERM)
    ending = Ending()
    with pytest.raises(KeyboardInterrupt), stoppable(ending):
        step()
    assert signal.getsignal(signal.SIGTERM) is before
    return ending


def test_sigterm_interrupts_as_ctrl_c_does() -> None:
    assert terminated(lambda: signal.raise_signal(signal.SIGTERM)).code == TERMINATED


def test_ctrl_c_is_told_apart() -> None:
    assert terminated(lambda: signal.raise_signal(signal.SIGINT)).code == INTERRUPTED


def test_it_does_so_where_ctrl_c_is_ignored_as_in_the_background_of_a_script() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert terminated(lambda: signal.raise_signal(signal.SIGTERM)).code == TERMINATED
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_second_one_does_not_cut_the_tidying_up_short() -> None:
    done = []

    def step() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)
            done.append("tidied up")

    terminated(step)
    assert done == ["tidied up"]


def test_what_runs_in_a_loop_is_cancelled_and_tidies_up() -> None:
    done = []

    async def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("tidied up")

    terminated(lambda: asyncio.run(work()))
    assert done == ["tidied up"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_output_that_cannot_be_written_is_no_fault_of_gonk(number: int) -> None:
    with pytest.raises(OutputError, match=os.strerror(number)), writing():
        raise OSError(number, os.strerror(number))


def test_a_reader_that_went_away_is_told_apart() -> None:
    with pytest.raises(BrokenPipeError), writing():
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
