import asyncio
import json
from pathlib import Path

import jwt
import pytest

from services.coordination.access.issuer import parse_keys, read_keys
from services.coordination.access.keys import KEPT_S, PAUSE_S, Keys, KeysError, KeySet
from services.coordination.config import Issuer
from services.coordination.errors import UnauthenticatedError, UnavailableError
from tests.fakes.issuer import AUDIENCE, CONFIGURATION, FakeIssuer


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Source:
    """Keys that change, and that cannot be read now and then."""

    def __init__(self, *key_ids: str) -> None:
        self.key_ids = key_ids
        self.away = False
        self.readings = 0

    async def __call__(self) -> Keys:
        self.readings += 1
        await asyncio.sleep(0)
        if self.away:
            raise KeysError("away")
        return dict.fromkeys(self.key_ids, FAKE)


OKP = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
FAKE = jwt.PyJWK(OKP)


def key_set(*keys: dict[str, str]) -> bytes:
    return json.dumps({"keys": keys}).encode()


async def test_a_known_key_is_read_once() -> None:
    source = Source("a")
    keys = KeySet(source, clock=Clock())
    assert [await keys.key("a") for _ in range(3)] == [FAKE] * 3
    assert source.readings == 1


async def test_a_new_key_is_found_when_it_is_first_used() -> None:
    source, clock = Source("a"), Clock()
    keys = KeySet(source, clock=clock)
    await keys.key("a")
    source.key_ids = ("b",)
    clock.now_s += PAUSE_S
    assert await keys.key("b") is FAKE
    with pytest.raises(UnauthenticatedError):
        await keys.key("a")


async def test_made_up_key_ids_do_not_reach_the_issuer_again_and_again() -> None:
    source = Source("a")
    keys = KeySet(source, clock=Clock())
    tried = await asyncio.gather(*(keys.key(f"made-up-{number}") for number in range(100)), return_exceptions=True)
    assert {type(each) for each in tried} == {UnauthenticatedError}
    assert source.readings == 1


async def test_keys_are_believed_for_a_day_while_the_issuer_is_away() -> None:
    source, clock = Source("a"), Clock()
    keys = KeySet(source, clock=clock)
    await keys.refresh()
    source.away = True
    clock.now_s += KEPT_S - 1
    await keys.refresh()
    assert await keys.key("a") is FAKE
    clock.now_s += 2
    with pytest.raises(UnavailableError):
        await keys.key("a")


async def test_without_any_keys_nobody_is_refused_for_good() -> None:
    source = Source()
    source.away = True
    with pytest.raises(UnavailableError):
        await KeySet(source, clock=Clock()).key("a")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [1, null, "x"]}',
        b'{"keys": [{"kid": "a"}]}',
        b'{"keys": [{"kid": "a", "kty": "oct", "k": "c2VjcmV0"}]}',
        b'{"keys": [{"kid": "a", "kty": "RSA", "n": "AQAB"}]}',
        key_set(OKP),
        key_set({**OKP, "kid": "a", "use": "enc"}),
        b"[" * 100_000,
    ],
)
def test_a_key_set_without_a_key_that_verifies_is_none(content: bytes) -> None:
    with pytest.raises(KeysError):
        parse_keys(content)


async def test_keys_are_found_where_the_issuer_says(issuer: FakeIssuer) -> None:
    assert set(await read_keys(Issuer(issuer.url, AUDIENCE))) == {"first"}
    assert issuer.requests == [CONFIGURATION, "/keys"]


async def test_keys_are_read_where_the_settings_say(issuer: FakeIssuer, tmp_path: Path) -> None:
    assert set(await read_keys(Issuer(issuer.url, AUDIENCE, f"{issuer.url}/keys"))) == {"first"}
    file = tmp_path / "my keys.json"
    file.write_text(
        '{"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
    )
    assert set(await read_keys(Issuer(issuer.url, AUDIENCE, file.as_uri()))) == {"a"}
    assert issuer.requests == ["/keys"]


async def test_an_issuer_that_does_not_answer_or_is_another_is_told(issuer: FakeIssuer) -> None:
    with pytest.raises(KeysError, match="calls itself"):
        await read_keys(Issuer(f"{issuer.url}/", AUDIENCE))
    issuer.away = True
    with pytest.raises(KeysError, match="503"):
        await read_keys(Issuer(issuer.url, AUDIENCE))
    with pytest.raises(KeysError, match="cannot be read"):
        await read_keys(Issuer(issuer.url, AUDIENCE, "file:///nowhere/keys.json"))
