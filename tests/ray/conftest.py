import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ray.blobs import write_clip
from tests.ray.world import World
from tools.rehearsal.blobs import write_pack


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("model") / "blobs")


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough for all the deaths of a module."""
    return write_clip(tmp_path_factory.mktemp("clip") / "blob.mp4", seconds=300)


@pytest.fixture(scope="session")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short enough to be played whole."""
    return write_clip(tmp_path_factory.mktemp("clip") / "tape.mp4", seconds=40)


@pytest.fixture(scope="module")
def world(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, clip: Path, tape: Path, pack: Path
) -> Iterator[World]:
    """A coordination service and a cluster's environment, for the tests of a module, which may set LEASE_S."""
    lease_s = getattr(request.module, "LEASE_S", World.lease_s)
    world = World(tmp_path_factory.mktemp("world"), clip, tape, pack, lease_s=lease_s)
    world.start_service()
    before = dict(os.environ)
    os.environ.update(world.environment)
    yield world
    os.environ.clear()
    os.environ.update(before)
    world.stop_service()
