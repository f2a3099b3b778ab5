"""The certificate of the served AWS: its own authority, for all the names that AWS's endpoints have."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

OF_REGIONS = (
    "*.{}.amazonaws.com",
    "*.ecr.{}.amazonaws.com",
    "*.s3.{}.amazonaws.com",
    "*.s3-control.{}.amazonaws.com",
    "*.{}.api.aws",
)


def certificate(path: Path, hosts: Sequence[str]) -> Path:
    """With its key, RSA of 2,048 bits as AWS's are; good for a day, and for nothing but these names."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "served AWS")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, hosts)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + made.public_bytes(pem))
    return path


def names(regions: Sequence[str]) -> list[str]:
    """Of AWS's hosts. A star stands for one label: a service's, a bucket's, an account's."""
    everywhere = ["*.amazonaws.com", "*.s3.amazonaws.com"]
    return everywhere + [each.format(region) for region in regions for each in OF_REGIONS]


def served(path: str) -> ssl.SSLContext | None:
    """For the server; None without a certificate."""
    if not path:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
