"""Numbers the frames of one connection, so that a lost, repeated or reordered one is noticed at once.

Each direction counts from 0, handshake included. TLS already orders and protects the bytes; the numbers catch a
transport, proxy or peer that does not pass on every message once. No sockets here.
"""

from __future__ import annotations

from gonk_node.core import limits
from gonk_node.core.codec import CodecError
from gonk_node.errors import ProtocolError
from gonk_node.sync.messages import Message, decode_message, encode_message


class Channel:
    """Turns messages into numbered frames, and checked frames into messages.

    Attributes:
        bytes_max: the largest frame that is read; small until the handshake is over, then `open` raises it.
    """

    def __init__(self) -> None:
        self.bytes_max = limits.HANDSHAKE_BYTES_MAX
        self._sent = 0
        self._received = 0

    def open(self) -> None:
        """The handshake is over: frames may be as large as an entry."""
        self.bytes_max = limits.FRAME_BYTES_MAX

    def encode(self, message: Message) -> bytes:
        """The next frame to send."""
        frame = encode_message(self._sent, message)
        self._sent += 1
        return frame

    def decode(self, frame: bytes) -> Message:
        """Read the next frame that came; ProtocolError where it is malformed, too large, or not the next one."""
        if len(frame) > self.bytes_max:
            raise ProtocolError(
                f"a frame of {len(frame)} bytes; at most {self.bytes_max} are allowed", where=self._place()
            )
        try:
            number, message = decode_message(frame)
        except CodecError as error:
            raise ProtocolError(f"malformed: {error}", where=self._place()) from None
        if number != self._received:
            raise ProtocolError(f"a frame numbered {number} came: lost, repeated or reordered", where=self._place())
        self._received += 1
        return message

    def _place(self) -> str:
        return f"frame {self._received}"
