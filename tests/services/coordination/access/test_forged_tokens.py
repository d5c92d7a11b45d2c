"""Tokens that nobody who may give them out gave out: each is refused, and recorded."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from grpc import StatusCode

from tests.fakes.issuer import FakeIssuer
from tests.services.coordination.access.calls import list_events
from tests.services.coordination.access.conftest import Closed
from tests.services.coordination.rpc.statuses import refused

Forge = Callable[[FakeIssuer], str]


def unsigned(issuer: FakeIssuer) -> str:
    return jwt.encode(issuer.claims("operator:arena"), "", "none", {"kid": issuer.key_id})


def signed_with_the_public_key_as_a_secret(issuer: FakeIssuer) -> str:
    public = issuer.key.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": issuer.key_id}
    content = ".".join(encoded(json.dumps(part).encode()) for part in (header, issuer.claims("operator:arena")))
    return f"{content}.{encoded(hmac.digest(pem, content.encode(), hashlib.sha256))}"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def signed_by_another_key(issuer: FakeIssuer) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(issuer.claims("operator:arena"), key, "ES256", {"kid": issuer.key_id})


def other_grants_than_were_signed(issuer: FakeIssuer) -> str:
    header, _, signature = issuer.token("auditor:arena").split(".")
    return f"{header}.{encoded(json.dumps(issuer.claims('operator:arena')).encode())}.{signature}"


def of_an_unknown_key(issuer: FakeIssuer) -> str:
    return jwt.encode(issuer.claims("operator:arena"), issuer.key, "ES256", {"kid": "no-such-key"})


def of_no_key(issuer: FakeIssuer) -> str:
    return jwt.encode(issuer.claims("operator:arena"), issuer.key, "ES256")


def with_claims(**claims: Callable[[FakeIssuer], object]) -> Forge:
    def forge(issuer: FakeIssuer) -> str:
        return issuer.token("operator:arena", **{name: make(issuer) for name, make in claims.items()})

    return forge


def seconds_from_now(seconds: float) -> Callable[[FakeIssuer], object]:
    return lambda issuer: issuer.claims()["iat"] + seconds


FORGED: dict[str, Forge] = {
    "nothing": lambda _: "",
    "rubbish": lambda _: "rubbish",
    "three dots": lambda _: "...",
    "unsigned": unsigned,
    "signed with the public key as a secret": signed_with_the_public_key_as_a_secret,
    "signed by another key": signed_by_another_key,
    "other grants than were signed": other_grants_than_were_signed,
    "of an unknown key": of_an_unknown_key,
    "of no key": of_no_key,
    "expired": with_claims(iat=seconds_from_now(-4000), exp=seconds_from_now(-400)),
    "not yet": with_claims(nbf=seconds_from_now(400)),
    "issued in the future": with_claims(iat=seconds_from_now(400)),
    "lives for two days": with_claims(exp=seconds_from_now(2 * 86400)),
    "never ends": with_claims(exp=lambda _: None),
    "ends at infinity": with_claims(exp=lambda _: 1e300),
    "of no age": with_claims(iat=lambda _: None),
    "for another service": with_claims(aud=lambda _: "other"),
    "for no service": with_claims(aud=lambda _: None),
    "of another issuer": with_claims(iss=lambda _: "https://login.example"),
    "of nobody": with_claims(sub=lambda _: None),
    "of an empty name": with_claims(sub=lambda _: ""),
    "of a name with a new line": with_claims(sub=lambda _: "ada\nentry: forged"),
    "of a name too long to record": with_claims(sub=lambda _: "a" * 300),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_forged_tokens_are_refused_and_recorded(closed: Closed, issuer: FakeIssuer, forge: Forge) -> None:
    with refused(StatusCode.UNAUTHENTICATED):
        await closed.list_with_token(forge(issuer))
    (entry,) = await closed.refusals()
    assert entry.trace.actor == "ipv4:127.0.0.1"
    assert "operator" not in entry.trace.detail


async def test_two_tokens_are_none(closed: Closed, issuer: FakeIssuer) -> None:
    with refused(StatusCode.UNAUTHENTICATED):
        await closed.list_with_token(issuer.token("auditor:arena"), issuer.token("operator:arena"))


async def test_a_token_that_was_taken_back_is_refused(closed: Closed, issuer: FakeIssuer) -> None:
    closed.revoke(f"token:{issuer.url}#ada\n")
    channel = await closed.token_channel()
    with refused(StatusCode.UNAUTHENTICATED):
        while True:
            await list_events(channel, "venues/-", token=issuer.token("operator:arena"))
