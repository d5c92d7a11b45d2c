import json
from datetime import UTC, datetime, timedelta

import pytest

from services.coordination.access.caller import Grant, Role
from services.coordination.access.issuer import parse_keys
from services.coordination.access.keys import Keys, KeySet
from services.coordination.access.tokens import LEEWAY, TokenVerifier, end_time
from services.coordination.config import Issuer
from services.coordination.errors import UnauthenticatedError
from tests.fakes.issuer import AUDIENCE, FakeIssuer

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def claims(issued: datetime = NOON, expires: datetime = NOON + HOUR, **other: object) -> dict[str, object]:
    return {"iat": issued.timestamp(), "exp": expires.timestamp(), **other}


def test_a_token_holds_until_its_end_and_a_little_longer_for_clocks_that_differ() -> None:
    assert end_time(claims(), NOON) == NOON + HOUR + LEEWAY
    assert end_time(claims(), NOON - LEEWAY) == NOON + HOUR + LEEWAY
    assert end_time(claims(nbf=NOON.timestamp()), NOON + HOUR) == NOON + HOUR + LEEWAY


@pytest.mark.parametrize(
    ("found", "now", "problem"),
    [
        (claims(), NOON + HOUR + LEEWAY, "expired"),
        (claims(), NOON - LEEWAY - timedelta(seconds=1), "not hold yet"),
        (claims(nbf=(NOON + HOUR).timestamp()), NOON, "not hold yet"),
        (claims(expires=NOON + timedelta(hours=25)), NOON, "longer than 24 h"),
        (claims() | {"exp": "soon"}, NOON, "exp is no time"),
        (claims() | {"iat": None}, NOON, "iat is no time"),
        (claims() | {"nbf": 1e300}, NOON, "nbf is no time"),
        (claims() | {"exp": float("nan")}, NOON, "exp is no time"),
    ],
)
def test_a_token_that_does_not_hold_now_or_for_too_long_is_refused(found: dict[str, object], now: datetime, problem: str) -> None:
    with pytest.raises(UnauthenticatedError, match=problem):
        end_time(found, now)


def verifier(issuer: FakeIssuer, roles_claim: str = "vigie_roles") -> TokenVerifier:
    async def read() -> Keys:
        return parse_keys(json.dumps(issuer.key_set()).encode())

    settings = Issuer(issuer.url, AUDIENCE, roles_claim=roles_claim)
    return TokenVerifier(settings, KeySet(read, clock=lambda: 0.0), now=lambda: datetime.now(UTC))


async def test_a_token_says_who_calls_and_what_for(issuer: FakeIssuer) -> None:
    found = await verifier(issuer).credential(issuer.token("operator:arena", "auditor:*", "gardener:arena", "operator:A B"))
    assert found.caller.name == f"token:{issuer.url}#ada"
    assert found.caller.grants == {Grant(Role.OPERATOR, "arena"), Grant(Role.AUDITOR, "*")}
    assert found.serial == ""


@pytest.mark.parametrize("held", ["operator:arena", 7, None, {"operator": "arena"}, [["operator:arena"], 7, None]])
async def test_grants_that_are_no_list_of_texts_grant_nothing(issuer: FakeIssuer, held: object) -> None:
    assert (await verifier(issuer).credential(issuer.token(vigie_roles=held))).caller.grants == frozenset()


async def test_the_claim_with_the_roles_is_a_setting(issuer: FakeIssuer) -> None:
    token = issuer.token("auditor:*", groups=["operator:arena"])
    assert (await verifier(issuer, "groups").credential(token)).caller.grants == {Grant(Role.OPERATOR, "arena")}


async def test_a_token_for_several_services_is_taken_if_this_is_one(issuer: FakeIssuer) -> None:
    found = await verifier(issuer).credential(issuer.token(aud=["other", AUDIENCE]))
    assert found.caller.name == f"token:{issuer.url}#ada"
