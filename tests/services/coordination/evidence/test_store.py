"""What holds for every evidence store, wherever it keeps pictures."""

import hashlib
from datetime import timedelta

import pytest

from services.coordination.errors import ConfigurationError, EvidenceDamagedError, NotFoundError
from services.coordination.evidence.sealing import Keyring
from services.coordination.evidence.store import SHARDS, Blobs, EvidenceStore
from tests.services.coordination.builders import picture, utc_now
from tests.services.coordination.evidence.conftest import KEY, OTHER_KEY


def named(*pictures: bytes) -> dict[str, bytes]:
    return {hashlib.sha256(jpeg).hexdigest(): jpeg for jpeg in pictures}


async def listed(store: EvidenceStore) -> set[str]:
    return {stored.sha256 for shard in SHARDS for stored in [found async for found in store.listed(shard)]}


async def test_pictures_are_got_as_they_were_put(store: EvidenceStore) -> None:
    pictures = named(picture(), picture(1 << 20))
    await store.put(pictures)
    await store.put(pictures)
    assert {sha256: await store.get(sha256) for sha256 in pictures} == pictures
    assert await listed(store) == set(pictures)


async def test_a_missing_picture_is_not_found(store: EvidenceStore) -> None:
    with pytest.raises(NotFoundError, match="backup"):
        await store.get("0" * 64)


async def test_what_is_erased_is_gone_and_may_be_erased_again(store: EvidenceStore) -> None:
    pictures = named(picture(), picture())
    await store.put(pictures)
    erased, kept = pictures
    assert await store.erase([erased]) == {erased}
    assert await store.erase([erased, "0" * 64]) == {erased, "0" * 64}
    with pytest.raises(NotFoundError):
        await store.get(erased)
    assert await listed(store) == {kept}


async def test_what_is_listed_says_when_it_was_written(store: EvidenceStore) -> None:
    before = utc_now() - timedelta(seconds=2)
    ((sha256, jpeg),) = named(picture()).items()
    await store.put({sha256: jpeg})
    (stored,) = [found async for found in store.listed(sha256[:2])]
    assert before <= stored.time <= utc_now() + timedelta(seconds=2)


async def test_a_check_leaves_nothing_behind(store: EvidenceStore) -> None:
    await store.check()
    assert await listed(store) == set()


async def test_what_is_kept_shows_nothing_of_the_picture(store: EvidenceStore, blobs: Blobs) -> None:
    ((sha256, jpeg),) = named(picture()).items()
    await store.put({sha256: jpeg})
    kept = await blobs.get(sha256)
    assert jpeg[:4] not in kept
    assert jpeg[4:40] not in kept
    assert bytes.fromhex(sha256) not in kept


async def test_a_picture_from_before_encryption_is_read(store: EvidenceStore, blobs: Blobs) -> None:
    pictures = named(picture())
    await blobs.put(pictures)
    ((sha256, jpeg),) = pictures.items()
    assert await store.get(sha256) == jpeg


async def test_a_key_that_was_changed_still_opens_what_it_sealed(store: EvidenceStore, blobs: Blobs) -> None:
    ((sha256, jpeg),) = named(picture()).items()
    await store.put({sha256: jpeg})
    assert await EvidenceStore(blobs, Keyring((OTHER_KEY, KEY))).get(sha256) == jpeg
    with pytest.raises(ConfigurationError, match="VIGIE_EVIDENCE_KEY_FILE"):
        await EvidenceStore(blobs, Keyring((OTHER_KEY,))).get(sha256)


@pytest.mark.parametrize("position", [7, 16, 40, -1])
async def test_a_changed_byte_is_refused(blobs: Blobs, position: int) -> None:
    keys = Keyring((KEY,))
    ((sha256, jpeg),) = named(picture()).items()
    sealed = bytearray(keys.seal(sha256, jpeg))
    sealed[position] ^= 1
    await blobs.put({sha256: bytes(sealed)})
    with pytest.raises((EvidenceDamagedError, ConfigurationError), match=sha256):
        await EvidenceStore(blobs, keys).get(sha256)


@pytest.mark.parametrize("length", [0, 6, 14, 20, 40, -1])
async def test_what_is_cut_is_refused(blobs: Blobs, length: int) -> None:
    keys = Keyring((KEY,))
    ((sha256, jpeg),) = named(picture()).items()
    await blobs.put({sha256: keys.seal(sha256, jpeg)[:length]})
    with pytest.raises((EvidenceDamagedError, ConfigurationError), match=sha256):
        await EvidenceStore(blobs, keys).get(sha256)


async def test_pictures_that_were_exchanged_are_refused(store: EvidenceStore, blobs: Blobs) -> None:
    keys = Keyring((KEY,))
    (one, first), (other, _) = named(picture(), picture()).items()
    await blobs.put({other: keys.seal(one, first), one: first[::-1]})
    with pytest.raises(EvidenceDamagedError, match="exchanged"):
        await store.get(other)
    with pytest.raises(EvidenceDamagedError, match="changed"):
        await store.get(one)


def test_the_same_picture_is_never_sealed_alike() -> None:
    keys, jpeg = Keyring((KEY,)), picture()
    assert keys.seal("0" * 64, jpeg) != keys.seal("0" * 64, jpeg)
