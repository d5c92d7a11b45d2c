"""The certificates of a local authority: ECDSA over P-256, with the extensions of RFC 5280 and nothing that is not needed.

The authority signs certificates of services and callers only, never another authority (path length 0), and neither sort can stand
in for the other (extended key usage). Its names are not constrained: hosts are added over time, and names such as `urn:…` cannot
be (section 4.2.1.10 asks for a host in a URI).
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=5 * 365)
LIFE = timedelta(days=90)
# Clocks of other machines may be behind.
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and the private key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def end_time(self) -> datetime:
        """The last moment at which it counts."""
        return self.certificate.not_valid_after_utc


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a certificate is for.

    Attributes:
        name: its common name.
        alternatives: what else it is called: hosts of a service, grants of a caller.
        usage: what it is good for.
    """

    name: str
    alternatives: frozenset[x509.GeneralName]
    usage: x509.ObjectIdentifier

    def texts(self) -> list[str]:
        """What else it is called, in words."""
        return sorted(str(name.value) for name in self.alternatives)


def service(hosts: Iterable[str]) -> Subject:
    """A service that is found under these host names and addresses."""
    return Subject("coordination", frozenset(map(_host, hosts)), ExtendedKeyUsageOID.SERVER_AUTH)


def caller(name: str, grants: Iterable[str]) -> Subject:
    """Someone who may do what these names, `urn:vigie:ROLE:VENUE`, say."""
    return Subject(name, frozenset(map(x509.UniformResourceIdentifier, grants)), ExtendedKeyUsageOID.CLIENT_AUTH)


def subject_of(certificate: x509.Certificate) -> Subject:
    """Whom a certificate is for. Raises x509.ExtensionNotFound where it does not say."""
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (usage, *_) = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    return Subject(str(name.value), frozenset(alternatives), usage)


def make_authority(name: str, *, now: datetime, key: ec.EllipticCurvePrivateKey | None = None) -> Signed:
    """An authority that vouches for itself. Over the key of an older one it vouches for what that one signed."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    certificate = (
        _builder(subject, subject, key.public_key(), now=now, end_time=now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usages(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Signed(certificate, key)


def sign(authority: Signed, subject: Subject, *, now: datetime, life: timedelta = LIFE) -> Signed:
    """A certificate for a subject with a key of its own, which ends no later than the authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer, end_time = authority.certificate.subject, min(now + life, authority.end_time)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    alternatives = sorted(subject.alternatives, key=lambda name: str(name.value))
    certificate = (
        _builder(_named(subject.name), issuer, key.public_key(), now=now, end_time=end_time)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usages(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([subject.usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Signed(certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, now: datetime, end_time: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(end_time)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usages(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
