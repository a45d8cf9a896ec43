"""The handshake proves both node keys over this very connection, or fails with a typed error."""

from __future__ import annotations

import pytest

from gonk_node.core.keys import Signer
from gonk_node.errors import GonkError, PeerUnavailableError, ProtocolError, WrongPeerError
from gonk_node.sync import handshake
from gonk_node.sync import messages as wire
from gonk_node.sync.channel import Channel
from gonk_node.sync.closing import close_for
from gonk_node.sync.handshake import ClientHandshake, PeerIdentity, ServerHandshake

CLIENT, SERVER, AUTHOR, OTHER = (Signer.from_seed(bytes([number]) * 32) for number in range(1, 5))
DATASET = b"d" * 32
CERTIFICATE = b"c" * 32
NONCE = b"nonce of the server".ljust(32)
SMALL_ORDER_KEY = bytes(32)  # y = 0: a point of order 4


def client(
    *, server_key: bytes = SERVER.author, author: Signer | None = None, certificate: bytes = CERTIFICATE
) -> ClientHandshake:
    return ClientHandshake(
        Channel(),
        signer=CLIENT,
        server_key=server_key,
        dataset=DATASET,
        nonce=b"1" * 32,
        certificate_hash=certificate,
        author=author,
    )


def server(*, signer: Signer = SERVER, certificate: bytes = CERTIFICATE, nonce: bytes = NONCE) -> ServerHandshake:
    return ServerHandshake(Channel(), signer=signer, nonce=nonce, certificate_hash=certificate)


def altered(frame: bytes, **changes: object) -> bytes:
    """The frame with fields of its message replaced."""
    number, message = wire.decode_message(frame)
    return wire.encode_message(number, message._replace(**changes))


def test_two_honest_sides_learn_who_the_other_is() -> None:
    one, other = client(author=AUTHOR), server()
    proof, server_identity = one.receive(other.hello(one.start()))
    assert server_identity == PeerIdentity(SERVER.author, DATASET, None, 1)
    assert other.finish(proof) == PeerIdentity(CLIENT.author, DATASET, AUTHOR.author, 1)


def test_an_author_key_is_optional() -> None:
    one, other = client(), server()
    assert other.finish(one.receive(other.hello(one.start()))[0]).author is None


def test_another_server_than_the_address_says_is_a_wrong_peer_on_both_sides() -> None:
    one, other = client(), server(signer=OTHER)
    with pytest.raises(WrongPeerError):
        other.hello(one.start())
    told = Channel().encode(close_for(WrongPeerError("the client looks for another node")))
    with pytest.raises(WrongPeerError, match="turned us away"):
        one.receive(told)


def test_an_impostor_that_claims_the_key_cannot_prove_it() -> None:
    one, impostor = client(), server(signer=OTHER)
    hello = altered(one.start(), server_key=OTHER.author)
    with pytest.raises(WrongPeerError, match="does not prove the key"):
        one.receive(impostor.hello(hello))


def test_a_relay_with_another_certificate_is_found_out_by_the_client() -> None:
    one, other = client(certificate=b"certificate of a relay".ljust(32)), server()
    with pytest.raises(WrongPeerError):
        one.receive(other.hello(one.start()))


def test_a_relay_with_another_certificate_is_found_out_by_the_server_too() -> None:
    """Were a client to skip its check, the server would still notice."""
    one, other = client(), server()
    frame = one.start()
    other.hello(frame)
    mitm = server(certificate=CERTIFICATE)
    proof, _ = one.receive(mitm.hello(frame))
    elsewhere = server(certificate=b"x" * 32)
    elsewhere.hello(frame)
    with pytest.raises(WrongPeerError):
        elsewhere.finish(proof)
    assert other.finish(proof).node_key == CLIENT.author


def test_striking_a_version_from_the_offer_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "VERSIONS", (1, 2))
    one, other = client(), server()
    with pytest.raises(WrongPeerError):
        one.receive(other.hello(altered(one.start(), versions=[1])))


def test_a_version_that_was_not_offered_is_refused() -> None:
    one, other = client(), server()
    with pytest.raises(ProtocolError, match="version 2"):
        one.receive(altered(other.hello(one.start()), version=2))


def test_without_a_common_version_the_server_says_which_it_speaks() -> None:
    with pytest.raises(ProtocolError, match=r"\[7, 8\] are offered"):
        server().hello(altered(client().start(), versions=[7, 8]))


def test_the_highest_common_version_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "VERSIONS", (1, 2, 3))
    one, other = client(), server()
    assert other.finish(one.receive(other.hello(one.start()))[0]).version == 3


@pytest.mark.parametrize("field", ["nonce", "signature"])
def test_a_server_hello_with_a_changed_field_is_refused(field: str) -> None:
    one, other = client(), server()
    frame = other.hello(one.start())
    value = getattr(wire.decode_message(frame)[1], field)
    with pytest.raises(WrongPeerError):
        one.receive(altered(frame, **{field: value[::-1]}))


@pytest.mark.parametrize("field", ["dataset", "signature", "author", "author_signature"])
def test_a_proof_with_a_changed_field_is_refused(field: str) -> None:
    one, other = client(author=AUTHOR), server()
    proof, _ = one.receive(other.hello(one.start()))
    changed = {"dataset": b"e" * 32, "author": OTHER.author}.get(field)
    value = changed or getattr(wire.decode_message(proof)[1], field)[::-1]
    with pytest.raises(WrongPeerError):
        other.finish(altered(proof, **{field: value}))


def test_a_proof_cannot_be_replayed_to_another_connection() -> None:
    one, first = client(), server()
    proof, _ = one.receive(first.hello(one.start()))
    second = server(nonce=b"3" * 32)
    second.hello(client().start())
    with pytest.raises(WrongPeerError):
        second.finish(proof)


def test_a_signature_made_as_server_does_not_pass_as_a_clients() -> None:
    one, other = client(), server()
    answer = other.hello(one.start())
    reflected = wire.decode_message(answer)[1].signature
    proof, _ = one.receive(answer)
    with pytest.raises(WrongPeerError):
        other.finish(altered(proof, signature=reflected))


def test_a_node_key_of_small_order_is_refused_on_either_side() -> None:
    with pytest.raises(WrongPeerError):
        server().hello(altered(client().start(), client_key=SMALL_ORDER_KEY))
    one = client(server_key=SMALL_ORDER_KEY)
    forged = Channel().encode(wire.ServerHello(b"n" * 32, 1, bytes(64)))
    one.start()
    with pytest.raises(WrongPeerError):
        one.receive(forged)


def test_a_node_does_not_talk_to_itself() -> None:
    with pytest.raises(ProtocolError, match="dials itself"):
        server(signer=SERVER).hello(altered(client().start(), client_key=SERVER.author))


def test_another_message_than_the_expected_one_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        server().hello(Channel().encode(wire.Ping()))
    with pytest.raises(ProtocolError):
        client().receive(Channel().encode(wire.Ping()))


def test_a_busy_server_is_unavailable() -> None:
    busy = Channel().encode(close_for(PeerUnavailableError("too many connections")))
    with pytest.raises(PeerUnavailableError, match="too many"):
        client().receive(busy)


def test_no_first_frame_makes_a_server_raise_anything_but_its_typed_errors() -> None:
    frame = client().start()
    for place in range(len(frame)):
        damaged = frame[:place] + bytes([frame[place] ^ 0x11]) + frame[place + 1 :]
        try:
            server().hello(damaged)
        except GonkError as error:
            assert isinstance(error, ProtocolError | WrongPeerError)
