"""The throw-away certificate, and TLS connections made in memory with the two contexts."""

from __future__ import annotations

import hashlib
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from gonk_node.errors import KeyFileError
from gonk_node.net import tls
from gonk_node.net.tls import certificate_hash, client_context, ensure_certificate, server_context
from gonk_node.store import private_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tls.pem"


def connect(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Run a TLS handshake between two contexts through memory; returns (server side, client side)."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        server.wrap_bio(to_server, to_client, server_side=True),
        client.wrap_bio(to_client, to_server, server_hostname="any.invalid"),
    )
    for _ in range(4):  # hello, hello + certificate, finished; then whoever still waits reads it
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
    return sides


def test_a_certificate_is_made_once(path: Path) -> None:
    der = ensure_certificate(path)
    assert ensure_certificate(path) == der
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_installation_has_another_certificate_that_names_nothing(tmp_path: Path) -> None:
    one, two = (x509.load_der_x509_certificate(ensure_certificate(tmp_path / name)) for name in "ab")
    assert one.public_key() != two.public_key()
    assert one.subject != two.subject
    assert one.subject == one.issuer
    assert [each.oid.dotted_string for each in one.extensions] == ["2.5.29.19"]


def test_the_certificate_is_p256_and_lasts_ten_years(path: Path) -> None:
    certificate = x509.load_der_x509_certificate(ensure_certificate(path))
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now - timedelta(hours=23)
    assert certificate.not_valid_after_utc > now + timedelta(days=3650)


def test_both_sides_see_the_same_certificate(path: Path) -> None:
    served = ensure_certificate(path)
    _, client = connect(server_context(path), client_context())
    seen = client.getpeercert(binary_form=True)
    assert seen == served
    assert client.version() == "TLSv1.3"
    assert certificate_hash(served) == hashlib.sha256(served).digest()


def test_who_relays_with_a_certificate_of_his_own_shows_another_hash(tmp_path: Path) -> None:
    honest = ensure_certificate(tmp_path / "honest.pem")
    _, client = connect(server_context(tmp_path / "relay.pem"), client_context())
    seen = client.getpeercert(binary_form=True)
    assert seen is not None
    assert certificate_hash(seen) != certificate_hash(honest)


def older() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_nothing_older_than_tls_1_3_is_spoken(path: Path) -> None:
    with pytest.raises(ssl.SSLError):
        connect(server_context(path), older())
    assert client_context().minimum_version == ssl.TLSVersion.TLSv1_3


def test_connections_cannot_be_resumed(path: Path) -> None:
    assert server_context(path).num_tickets == 0


@pytest.mark.parametrize("use", [ensure_certificate, server_context])
def test_a_file_that_others_may_read_is_refused(path: Path, use: Callable[[Path], object]) -> None:
    ensure_certificate(path)
    path.chmod(0o644)
    with pytest.raises(KeyFileError) as caught:
        use(path)
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_damaged_file_says_that_it_may_be_deleted(path: Path) -> None:
    ensure_certificate(path)
    whole = path.read_bytes()
    half = whole.index(b"-----BEGIN CERTIFICATE")
    for data in (b"", whole[:-200], whole[:half], whole[half:], whole[:80] + b"AAAA" + whole[84:]):
        path.write_bytes(data)
        with pytest.raises(KeyFileError, match="damaged") as caught:
            ensure_certificate(path)
        assert "delete" in (caught.value.hint or "")


def test_a_key_that_belongs_to_another_certificate_is_called_damage(path: Path, tmp_path: Path) -> None:
    ensure_certificate(path)
    ensure_certificate(tmp_path / "other.pem")
    mark = b"-----BEGIN CERTIFICATE"
    other = (tmp_path / "other.pem").read_bytes()
    mine = path.read_bytes()
    path.write_bytes(mine[: mine.index(mark)] + other[other.index(mark) :])
    with pytest.raises(KeyFileError, match="damaged"):
        ensure_certificate(path)


def test_two_processes_that_start_at_once_agree(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = private_file.write_new
    theirs: list[bytes] = []

    def slower(target: Path, contents: bytes) -> None:
        monkeypatch.setattr(tls, "write_new", real)
        theirs.append(ensure_certificate(target))
        real(target, contents)

    monkeypatch.setattr(tls, "write_new", slower)
    assert ensure_certificate(path) == theirs[0]
