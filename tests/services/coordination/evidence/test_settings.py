"""Where evidence is kept and with which keys, and what is refused."""

import base64
from pathlib import Path

import pytest

from services.coordination.errors import ConfigurationError, UnavailableError
from services.coordination.evidence.bucket import Bucket
from services.coordination.evidence.opening import open_evidence
from services.coordination.evidence.sealing import Keyring, read_keys
from services.coordination.evidence.settings import BucketAddress, evidence_from, evidence_keys, evidence_place
from services.coordination.evidence.store import EvidenceStore
from tests.services.coordination.builders import picture
from tests.services.coordination.evidence.conftest import KEY, OTHER_KEY


def test_a_place_is_a_folder_or_a_bucket() -> None:
    assert evidence_place("/srv/evidence", {}) == Path("/srv/evidence")
    assert evidence_place("s3://vault/vigie/", {}) == BucketAddress("vault", "vigie")
    endpoint = {"AWS_ENDPOINT_URL": "https://s3.example"}
    assert evidence_place("s3://vault", endpoint) == BucketAddress("vault", "", "https://s3.example")


def test_the_name_that_the_setting_had_before_still_counts() -> None:
    assert evidence_from({"VIGIE_EVIDENCE_DIR": "/old"}, Path("/usual")) == Path("/old")
    assert evidence_from({"VIGIE_EVIDENCE_DIR": "/old", "VIGIE_EVIDENCE": "/new"}, Path("/usual")) == Path("/new")
    assert evidence_from({}, Path("/usual")) == Path("/usual")


@pytest.mark.parametrize("written", ["s3://", "gs://vault", "https://vault.example/x"])
def test_another_place_is_refused(written: str) -> None:
    with pytest.raises(ConfigurationError, match="s3://BUCKET/PREFIX"):
        evidence_place(written, {})


@pytest.mark.parametrize("endpoint", ["http://s3.example", "http://10.0.0.7:9000", "http://127.0.0.1.example", "s3.example"])
def test_an_endpoint_without_encryption_is_refused_beyond_this_machine(endpoint: str) -> None:
    with pytest.raises(ConfigurationError, match="https://"):
        evidence_place("s3://vault", {"AWS_ENDPOINT_URL": endpoint})
    for local in ("http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost"):
        evidence_place("s3://vault", {"AWS_ENDPOINT_URL": local})


def test_keys_are_read_in_order_from_lines_of_hexadecimal_or_base64() -> None:
    text = f"# the new one\n{KEY.hex()}\n\n{base64.b64encode(OTHER_KEY).decode()}  # until August\n"
    assert read_keys(text, "keys") == Keyring((KEY, OTHER_KEY))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no key"),
        ("# none yet", "holds no key"),
        ("hunter2", "line 1"),
        (f"{KEY.hex()}\n{KEY.hex()[:-2]}", "line 2"),
        ("é" * 64, "line 1"),
        (f"{KEY.hex()} {KEY.hex()}", "line 1"),
    ],
)
def test_what_is_no_key_is_named_by_its_line_and_not_repeated(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_keys(text, "keys")
    assert "hunter2" not in caught.value.message
    assert KEY.hex()[:8] not in caught.value.message


def test_keys_are_not_shown() -> None:
    assert "kkk" not in repr(Keyring((KEY,)))
    assert KEY.hex() not in repr(Keyring((KEY,)))


def test_keys_come_from_the_variable_else_the_file_else_what_init_made(tmp_path: Path) -> None:
    usual, named = tmp_path / "evidence.key", tmp_path / "named"
    environment = {"VIGIE_IDENTITY_DIR": str(tmp_path)}
    assert evidence_keys(environment) is None
    usual.write_text(KEY.hex())
    assert evidence_keys(environment) == Keyring((KEY,))
    named.write_text(OTHER_KEY.hex())
    assert evidence_keys({**environment, "VIGIE_EVIDENCE_KEY_FILE": str(named)}) == Keyring((OTHER_KEY,))
    given = {**environment, "VIGIE_EVIDENCE_KEY_FILE": str(named), "VIGIE_EVIDENCE_KEY": KEY.hex()}
    assert evidence_keys(given) == Keyring((KEY,))


def test_a_key_file_that_is_missing_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        evidence_keys({"VIGIE_EVIDENCE_KEY_FILE": str(tmp_path / "none")})
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    with pytest.raises(ConfigurationError, match="no text"):
        evidence_keys({"VIGIE_EVIDENCE_KEY_FILE": str(tmp_path / "binary")})


async def test_a_service_on_its_own_makes_a_key_once_that_only_it_may_read(tmp_path: Path) -> None:
    jpeg = picture()
    await open_evidence(tmp_path / "evidence", None, makes_key=True).put({"0" * 64: jpeg})
    path = tmp_path / "evidence.key"
    assert path.stat().st_mode & 0o777 == 0o600
    written = path.read_bytes()
    open_evidence(tmp_path / "evidence", None, makes_key=True)
    assert path.read_bytes() == written


@pytest.mark.parametrize("place", [Path("evidence"), BucketAddress("vault")])
def test_nothing_is_kept_without_a_key_elsewhere(place: Path | BucketAddress) -> None:
    with pytest.raises(ConfigurationError, match="vigie init"):
        open_evidence(place, None, makes_key=False)


def test_a_bucket_needs_a_key() -> None:
    with pytest.raises(ConfigurationError, match="vigie init"):
        open_evidence(BucketAddress("vault"), None, makes_key=True)


async def test_a_bucket_that_is_not_there_is_noticed_by_a_check(bucket_address: BucketAddress) -> None:
    missing = BucketAddress("nowhere", endpoint=bucket_address.endpoint)
    with pytest.raises(UnavailableError, match="s3://nowhere"):
        await EvidenceStore(Bucket(missing), Keyring((KEY,))).check()


async def test_a_store_that_does_not_answer_is_unavailable_and_erases_nothing(bucket_address: BucketAddress) -> None:
    away = Bucket(BucketAddress(bucket_address.name, endpoint="http://127.0.0.1:9"))
    with pytest.raises(UnavailableError, match=bucket_address.name):
        await away.put({"0" * 64: b""})
    with pytest.raises(UnavailableError, match=bucket_address.name):
        await away.get("0" * 64)
    assert await away.erase(["0" * 64]) == frozenset()
