"""The program of the signature process: reads records on stdin, answers on stdout whose signature holds.

One byte, `READY`, says that it is there. A request is the number of records, then each with its length before it (4 bytes
each, big-endian); the answer is one byte for each record, 1 or 0. It ends with its stdin, and so with whoever started it.
It reads no file and knows no key.
"""

from __future__ import annotations

import signal
import sys
from typing import BinaryIO

from gonk_node.core.verify import is_signed

LENGTH_BYTES = 4
READY = b"\x01"


def encode_request(records: list[bytes]) -> bytes:
    """The bytes of a request."""
    parts = [len(records).to_bytes(LENGTH_BYTES, "big")]
    for record in records:
        parts += (len(record).to_bytes(LENGTH_BYTES, "big"), record)
    return b"".join(parts)


def answer_requests(source: BinaryIO, sink: BinaryIO) -> None:
    """Say that it is there, then answer request after request, until the source ends."""
    sink.write(READY)
    sink.flush()
    while head := source.read(LENGTH_BYTES):
        records = [source.read(_number(source.read(LENGTH_BYTES))) for _ in range(_number(head))]
        sink.write(bytes(map(is_signed, records)))
        sink.flush()


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def main() -> None:
    """Serve whoever started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches it too; it ends with its parent
    try:
        answer_requests(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # the parent is gone
        sys.stdout = None  # else the interpreter flushes it once more


if __name__ == "__main__":
    main()
