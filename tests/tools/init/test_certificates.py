from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from tools.init.certificates import (
    AUTHORITY_LIFE,
    LIFE,
    Signed,
    caller,
    make_authority,
    service,
    sign,
    subject_of,
)

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
GRANTS = ("urn:vigie:operator:arena", "urn:vigie:auditor:*")


@pytest.fixture(scope="module")
def authority() -> Signed:
    return make_authority("an authority", now=NOW)


def policy(authority: Signed, at: datetime = NOW) -> PolicyBuilder:
    return PolicyBuilder().store(Store([authority.certificate])).time(at)


def test_caller_is_believed_by_whoever_believes_the_authority(authority: Signed) -> None:
    signed = sign(authority, caller("ada", GRANTS), now=NOW)

    verified = policy(authority).build_client_verifier().verify(signed.certificate, [])

    assert verified.subjects is not None
    assert {name.value for name in verified.subjects} == set(GRANTS)
    assert subject_of(signed.certificate) == caller("ada", GRANTS)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "coordination.example"])
def test_service_is_believed_under_each_of_its_hosts(authority: Signed, host: str) -> None:
    signed = sign(authority, service(["localhost", "127.0.0.1", "::1", "coordination.example"]), now=NOW)
    (name,) = service([host]).alternatives
    assert isinstance(name, x509.DNSName | x509.IPAddress)

    assert policy(authority).build_server_verifier(name).verify(signed.certificate, [])


def test_caller_is_not_believed_to_be_a_service(authority: Signed) -> None:
    signed = sign(authority, caller("ada", GRANTS), now=NOW)

    with pytest.raises(VerificationError):
        policy(authority).build_server_verifier(x509.DNSName("localhost")).verify(signed.certificate, [])


def test_service_is_not_believed_to_be_a_caller(authority: Signed) -> None:
    signed = sign(authority, service(["localhost"]), now=NOW)

    with pytest.raises(VerificationError):
        policy(authority).build_client_verifier().verify(signed.certificate, [])


def test_caller_cannot_vouch_for_another(authority: Signed) -> None:
    ada = sign(authority, caller("ada", GRANTS), now=NOW)
    eve = sign(ada, caller("eve", GRANTS), now=NOW)

    with pytest.raises(VerificationError):
        policy(authority).build_client_verifier().verify(eve.certificate, [ada.certificate])


def test_certificate_counts_for_ninety_days(authority: Signed) -> None:
    signed = sign(authority, caller("ada", GRANTS), now=NOW)

    assert signed.end_time == NOW + LIFE
    policy(authority, NOW + LIFE).build_client_verifier().verify(signed.certificate, [])
    with pytest.raises(VerificationError):
        policy(authority, NOW + LIFE + timedelta(seconds=1)).build_client_verifier().verify(signed.certificate, [])


def test_certificate_does_not_outlive_its_authority(authority: Signed) -> None:
    signed = sign(authority, caller("ada", GRANTS), now=NOW + AUTHORITY_LIFE - timedelta(days=1))

    assert signed.end_time == authority.end_time == NOW + AUTHORITY_LIFE


def test_authority_that_is_renewed_over_its_key_vouches_for_what_it_signed(authority: Signed) -> None:
    signed = sign(authority, caller("ada", GRANTS), now=NOW)

    renewed = make_authority("an authority", now=NOW, key=authority.key)

    policy(renewed).build_client_verifier().verify(signed.certificate, [])


def test_other_authority_does_not(authority: Signed) -> None:
    signed = sign(authority, caller("ada", GRANTS), now=NOW)
    other = make_authority("an authority", now=NOW)

    with pytest.raises(InvalidSignature):
        signed.certificate.verify_directly_issued_by(other.certificate)


def test_usages_are_those_that_are_needed(authority: Signed) -> None:
    usages = {
        signed: signed.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
        for signed in (authority, sign(authority, caller("ada", GRANTS), now=NOW))
    }

    assert [(usage.key_cert_sign, usage.digital_signature) for usage in usages.values()] == [(True, False), (False, True)]
    assert caller("ada", GRANTS).usage == ExtendedKeyUsageOID.CLIENT_AUTH
