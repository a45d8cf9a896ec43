"""TLS between nodes: a throw-away certificate for each installation, and the two contexts.

No authority signs these certificates and nobody checks who they name. TLS only hides the traffic; who is at
the other end is proved by the handshake of the session (`sync.handshake`): both sides sign the SHA-256 of the
server's certificate as each of them sees it, so one who relays between them with a certificate of his own
makes the two differ. That is why its private key must stay private, and is never shared by installations: with
it he could show the same certificate. TLS 1.3 only, without resumption. Knows neither sockets nor peers.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gonk_node.core.limits import CERTIFICATE_FILE_BYTES_MAX
from gonk_node.errors import ExistsError, KeyFileError
from gonk_node.store.private_file import read_private, write_new

_LIFETIME = timedelta(days=3652)  # ten years; peers do not look, proxies and tools between may
_CLOCK_SLACK = timedelta(days=1)  # the clock may have been ahead when the certificate was made
_NAME_BYTES = 8  # random: the name must tell nothing of the node, and issuers' names should differ


def ensure_certificate(path: Path) -> bytes:
    """Make the certificate and its key where there is none yet, in one PEM file of mode 0600.

    Args:
        path: where; its folder exists.

    Returns:
        The certificate, DER. Its hash is what the server side of a handshake signs.

    Raises:
        KeyFileError: the file is open to others, or damaged.
        DiskFullError, StorageError: it could not be written.
    """
    pem = read_private(path, bytes_max=CERTIFICATE_FILE_BYTES_MAX)
    if pem is None:
        try:
            write_new(path, _new_pem())
        except ExistsError:
            pass  # another process was faster; its certificate is as good
        pem = read_private(path, bytes_max=CERTIFICATE_FILE_BYTES_MAX) or b""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = serialization.load_pem_private_key(pem, password=None)
        fits = key.public_key() == certificate.public_key()
    except ValueError:
        fits = False
    if not fits:
        raise KeyFileError(
            "the TLS certificate is damaged",
            where=str(path),
            hint="delete it: the next start makes another one",
        )
    return certificate.public_bytes(serialization.Encoding.DER)


def certificate_hash(der: bytes) -> bytes:
    """SHA-256 (32 bytes) of a certificate in DER, as `SSLObject.getpeercert(binary_form=True)` gives it."""
    return hashlib.sha256(der).digest()


def server_context(path: Path) -> ssl.SSLContext:
    """What the serving side needs, with the certificate of `ensure_certificate(path)`, made if missing.

    Raises:
        KeyFileError, DiskFullError, StorageError: as `ensure_certificate`.
    """
    ensure_certificate(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0  # a resumed connection would show no certificate
    context.load_cert_chain(path)
    return context


def client_context() -> ssl.SSLContext:
    """What the calling side needs: takes any certificate, because the session's handshake judges it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _new_pem() -> bytes:
    """A new P-256 key and a certificate for it, signed with itself: PEM, the key first."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, os.urandom(_NAME_BYTES).hex())])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
