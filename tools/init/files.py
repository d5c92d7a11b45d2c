"""Certificates and private keys in files."""

import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.init.certificates import Signed
from vigie.identity import FILES, IdentityError


def read_signed(folder: Path) -> Signed | None:
    """The certificate and key of an identity's folder; None where there is none. Raises IdentityError."""
    if not (folder / FILES[1]).exists():
        return None
    return Signed(read_certificate(folder / FILES[1]), read_key(folder / FILES[2]))


def read_certificate(path: Path) -> x509.Certificate:
    """The first certificate in a file. Raises IdentityError."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise IdentityError(
            f"{path} holds no certificate that can be read ({error}); move it aside, and run this again"
        ) from error
    return certificate


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in a file. Raises IdentityError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise IdentityError(
            f"{path} holds no private key that can be read ({error}); move it aside, and run this again"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityError(
            f"{path} is no key on an elliptic curve, as `vigie init` makes them; move it aside, and run this again"
        )
    return key


def certificate_pem(signed: Signed) -> bytes:
    """The certificate as it stands in a file."""
    return signed.certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(signed: Signed) -> bytes:
    """The private key as it stands in a file, without a password."""
    return signed.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def write(path: Path, content: bytes) -> None:
    """Puts content into a file that nobody but its owner may read, all of it or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)
