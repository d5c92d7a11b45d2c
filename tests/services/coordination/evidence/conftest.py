"""Evidence stores of both sorts: a folder, and a bucket of an S3 server of the tests' own."""

import contextlib
import http.client
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from services.coordination.evidence.bucket import Bucket
from services.coordination.evidence.folder import Folder
from services.coordination.evidence.sealing import Keyring
from services.coordination.evidence.settings import BucketAddress
from services.coordination.evidence.store import Blobs, EvidenceStore

KEY, OTHER_KEY = b"k" * 32, b"o" * 32

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The URL of an S3 server on this machine."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket_address(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> BucketAddress:
    """An empty bucket, and the variables with which it is reached."""
    for name, value in {"ACCESS_KEY_ID": "vigie", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    name = f"evidence-{next(_numbers)}"
    with contextlib.closing(http.client.HTTPConnection(s3_endpoint.removeprefix("http://"))) as server:
        server.request("PUT", f"/{name}")
        assert server.getresponse().status == 200
    return BucketAddress(name, "vigie/pictures", s3_endpoint)


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """An empty place for bytes, once of each sort."""
    if request.param == "folder":
        return Folder(tmp_path / "evidence")
    return Bucket(request.getfixturevalue("bucket_address"))


@pytest.fixture
def store(blobs: Blobs) -> EvidenceStore:
    """An empty store, once of each sort."""
    return EvidenceStore(blobs, Keyring((KEY,)))
