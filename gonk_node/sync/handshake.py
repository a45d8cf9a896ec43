"""Who is at the other end: three messages that prove both node keys over one TLS connection (spec section 9.3).

Both sides sign a transcript of everything said, with the SHA-256 of the server's certificate as each side sees it: a
relay that ends TLS with a certificate of its own is found out, and so is one that strikes versions from the offer.
Nonces, keys and the certificate hash are passed in. Who may read which dataset is decided by the caller, afterwards.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from gonk_node.core import codec
from gonk_node.core.ids import hash_handshake
from gonk_node.core.keys import Signer, is_valid_author, verify_signature
from gonk_node.core.limits import PROTOCOL_VERSION
from gonk_node.errors import PeerUnavailableError, ProtocolError, WrongPeerError
from gonk_node.sync.channel import Channel
from gonk_node.sync.closing import error_of
from gonk_node.sync.messages import ClientHello, ClientProof, Close, Message, ServerHello

VERSIONS = (PROTOCOL_VERSION,)  # those that this program speaks
# One domain per role: a signature made as server means nothing as client.
SERVER_DOMAIN = b"gonk-node/handshake/1/server\0"
CLIENT_DOMAIN = b"gonk-node/handshake/1/client\0"
AUTHOR_DOMAIN = b"gonk-node/handshake/1/author\0"


class PeerIdentity(NamedTuple):
    """What a handshake proved: the peer's node key, the dataset meant, and the client's author key or None."""

    node_key: bytes
    dataset: bytes
    author: bytes | None
    version: int


class _Transcript(NamedTuple):
    client: ClientHello
    server_nonce: bytes
    version: int
    certificate_hash: bytes

    def signed(self, domain: bytes, dataset: bytes = b"") -> bytes:
        """The bytes to sign: the domain and the hash of all that was said."""
        hello = self.client
        said = [
            hello.nonce, self.server_nonce, hello.client_key, hello.server_key, self.certificate_hash,
            list(hello.versions), self.version, dataset,
        ]  # fmt: skip
        return domain + hash_handshake(codec.encode(said))


class ClientHandshake:
    """The side that dials: `start`, then `receive` once; the returned frame completes it.

    Args:
        channel: numbers the frames; the session goes on with it.
        signer: this node's key.
        server_key: the key that the address names.
        dataset: the dataset meant, 32 bytes.
        nonce: 32 random bytes, used once.
        certificate_hash: SHA-256 of the certificate that TLS showed us.
        author: an author key to prove beside the node key (a private dataset asks for one with a role), or None.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        signer: Signer,
        server_key: bytes,
        dataset: bytes,
        nonce: bytes,
        certificate_hash: bytes,
        author: Signer | None = None,
    ) -> None:
        self._channel = channel
        self._signer = signer
        self._dataset = dataset
        self._certificate_hash = certificate_hash
        self._author = author
        self._hello = ClientHello(nonce, list(VERSIONS), server_key, signer.author)

    def start(self) -> bytes:
        """The first frame."""
        return self._channel.encode(self._hello)

    def receive(self, frame: bytes) -> tuple[bytes, PeerIdentity]:
        """Check the server's answer; returns the last frame to send, and who the server is.

        Raises:
            WrongPeerError: it does not hold the key of the address, or somebody stands between.
            ProtocolError: anything else that is wrong.
            PeerUnavailableError: it is busy.
        """
        message = _expect(ServerHello, self._channel.decode(frame))
        if message.version not in self._hello.versions:
            raise ProtocolError(f"the server chose protocol version {message.version}, which was not offered")
        transcript = _Transcript(self._hello, message.nonce, message.version, self._certificate_hash)
        server_key = self._hello.server_key
        if not is_valid_author(server_key) or not verify_signature(
            server_key, transcript.signed(SERVER_DOMAIN), message.signature
        ):
            raise WrongPeerError(
                "who answers does not prove the key of the address; another node, or somebody between",
                where=f"node {server_key.hex()[:8]}",
                hint="compare the address with what `gonk share` shows there",
            )
        proof = ClientProof(
            self._dataset,
            self._signer.sign(transcript.signed(CLIENT_DOMAIN, self._dataset)),
            b"" if self._author is None else self._author.author,
            b"" if self._author is None else self._author.sign(transcript.signed(AUTHOR_DOMAIN, self._dataset)),
        )
        self._channel.open()
        return self._channel.encode(proof), PeerIdentity(server_key, self._dataset, None, message.version)


class ServerHandshake:
    """The side that is dialled: `hello` with the first frame, send what it returns, `finish` with the second.

    Args:
        channel: numbers the frames; the session goes on with it.
        signer: this node's key.
        nonce: 32 random bytes, used once.
        certificate_hash: SHA-256 of the certificate that this server shows.
    """

    def __init__(self, channel: Channel, *, signer: Signer, nonce: bytes, certificate_hash: bytes) -> None:
        self._channel = channel
        self._signer = signer
        self._nonce = nonce
        self._certificate_hash = certificate_hash
        self._transcript: _Transcript | None = None

    def hello(self, frame: bytes) -> bytes:
        """Take the client's first frame; returns the answer.

        Raises:
            WrongPeerError: the client looks for another node, or names no key of its own.
            ProtocolError: anything else that is wrong.
        """
        message = _expect(ClientHello, self._channel.decode(frame))
        if message.server_key != self._signer.author:
            raise WrongPeerError("the client looks for another node", where=f"node {message.server_key.hex()[:8]}")
        if not is_valid_author(message.client_key):
            raise WrongPeerError("the client's node key is no valid Ed25519 key")
        if message.client_key == self._signer.author:
            raise ProtocolError("a node that dials itself")
        common = set(VERSIONS) & set(message.versions)
        if not common:
            raise ProtocolError(
                f"no common protocol version: {message.versions} are offered, {list(VERSIONS)} are spoken here"
            )
        version = max(common)
        self._transcript = _Transcript(message, self._nonce, version, self._certificate_hash)
        signature = self._signer.sign(self._transcript.signed(SERVER_DOMAIN))
        return self._channel.encode(ServerHello(self._nonce, version, signature))

    def finish(self, frame: bytes) -> PeerIdentity:
        """Take the client's proof; returns who he is.

        Raises:
            WrongPeerError: a signature does not prove its key, or was made over another certificate.
            ProtocolError: anything else that is wrong.
        """
        if self._transcript is None:
            raise ProtocolError("a proof before the hello")
        transcript = self._transcript
        message = _expect(ClientProof, self._channel.decode(frame))
        client_key = transcript.client.client_key
        if not verify_signature(client_key, transcript.signed(CLIENT_DOMAIN, message.dataset), message.signature):
            raise WrongPeerError("the client does not prove its node key", where=f"node {client_key.hex()[:8]}")
        author = message.author or None
        if author is not None and not (
            is_valid_author(author)
            and verify_signature(author, transcript.signed(AUTHOR_DOMAIN, message.dataset), message.author_signature)
        ):
            raise WrongPeerError("the client does not prove its author key", where=f"key {author.hex()[:8]}")
        self._channel.open()
        return PeerIdentity(client_key, message.dataset, author, transcript.version)


_M = TypeVar("_M", ClientHello, ServerHello, ClientProof)


def _expect(kind: type[_M], message: Message) -> _M:
    if isinstance(message, Close):
        raise error_of(message) or PeerUnavailableError("the peer hung up during the handshake")
    if not isinstance(message, kind):
        raise ProtocolError(f"{type(message).__name__} came during the handshake, not {kind.__name__}")
    return message
