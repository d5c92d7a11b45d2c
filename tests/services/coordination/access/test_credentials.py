import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.access.caller import Grant, Role
from services.coordination.access.credentials import certificate_credential, grants
from services.coordination.errors import UnauthenticatedError
from tests.certificates import Authority
from tools.init.files import certificate_pem


def test_a_certificate_says_who_calls_what_for_and_until_when(authority: Authority) -> None:
    signed = authority.person("Ada Lovelace", "operator:arena", "auditor:*")
    found = certificate_credential(certificate_pem(signed))
    assert found.caller.name == "certificate:Ada Lovelace"
    assert found.caller.grants == {Grant(Role.OPERATOR, "arena"), Grant(Role.AUDITOR, "*")}
    assert found.end_time == signed.end_time
    assert int(found.serial, 16) == signed.certificate.serial_number


@pytest.mark.parametrize("name", ["a\nb", "a\u202eb", "x" * 60 + "\x00"])
def test_a_name_that_cannot_stand_on_record_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(UnauthenticatedError, match="on record"):
        certificate_credential(certificate_pem(authority.person(name, "operator:arena")))


def test_what_is_no_certificate_is_refused() -> None:
    with pytest.raises(UnauthenticatedError, match="cannot be read"):
        certificate_credential(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")


@given(st.lists(st.text()))
def test_texts_that_are_no_grants_grant_nothing(texts: list[str]) -> None:
    assert all(f"{grant.role}:{grant.venue}" in texts for grant in grants(texts))
