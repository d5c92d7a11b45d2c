"""Each kind from a real clip through Ray and gRPC into the database, as an operations centre would find it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.site import vigie
from tests.eventually import eventually
from tools.demo.processes import running
from tools.demo.serving import Service, coordination
from vigie.vocabulary import Kind

# A clip in which a kind happens: the clip's label, and the kinds that its camera is set to watch for here.
CLIPS = {
    "vtest": [Kind.ZONE_INTRUSION, Kind.WRONG_WAY, Kind.CROWD_DENSITY],
    "aboda_video4": [Kind.ABANDONED_OBJECT],
    "urfd_01": [Kind.PERSON_DOWN],
    "umn_lawn": [Kind.CROWD_MOVEMENT],
    "fire_test1": [Kind.FIRE],
}
EXPECTED = {(kind.name, clip.replace("_", "-")) for clip, kinds in CLIPS.items() for kind in kinds}


def camera_of(footage: Path, clip: str, kinds: list[Kind], start: datetime) -> dict[str, Any]:
    label = json.loads((footage / "labels" / f"{clip}.json").read_text())
    watch = [rule for rule in label["watch"] if Kind[rule["kind"]] in kinds]
    camera = {
        "id": clip.replace("_", "-"),
        "stream": {"url": f"file:{footage / label['clip']}", "start_time": start.isoformat(), "pace": "fastest"},
        "picture": {"width": label["width"], "height": label["height"]},
        "zones": {rule["zone"]: {"polygon": rule["polygon"]} for rule in watch if "zone" in rule},
        "rules": [{key: value for key, value in rule.items() if key != "polygon"} for rule in watch],
    }
    if plane := label.get("ground_plane"):
        camera["ground_plane"] = {"picture": plane["image"], "metres": plane["metres"]}
    return camera


def venue_file(folder: Path, footage: Path) -> Path:
    now = datetime.now(UTC)
    act = {
        "id": "act-1",
        "reference": "act 1",
        "controller": "prefect",
        "motive": "test",
        "start": (now - timedelta(days=1)).isoformat(),
        "end": (now + timedelta(days=1)).isoformat(),
        "cameras": "all",
        "kinds": [kind.name for kind in Kind if kind is not Kind.WEAPON],
    }
    cameras = [camera_of(footage, clip, kinds, now - timedelta(hours=1)) for clip, kinds in CLIPS.items()]
    venue = {"venue": "clips", "time_zone": "Europe/Paris", "authorizations": [act], "cameras": cameras}
    path = folder / "venue.yaml"
    path.write_text(yaml.safe_dump(venue))
    return path


@contextmanager
def played(folder: Path, footage: Path) -> Iterator[Service]:
    """The service, once every clip has been played to its end."""
    with coordination(folder, f"sqlite:///{folder / 'vigie.db'}") as service:
        vigie(service, "apply", "--file", str(venue_file(folder, footage)))
        environment = {**service.environment(), "VIGIE_STATE_DIR": str(folder / "state")}
        with running("the cluster", ["run"], log=folder / "run.log", environment=environment) as cluster:
            assert eventually(lambda: states(service) == {"CAMERA_STATE_ENDED"}, within_s=240, every_s=1), (
                f"{cluster.failure('did not play all clips')}\n" + vigie(service, "cameras")
            )
            yield service


def states(service: Service) -> set[str]:
    lines = vigie(service, "cameras", "--json").splitlines()
    return {json.loads(line).get("health", {}).get("state", "") for line in lines}


@pytest.mark.shared
def test_each_kind_goes_from_a_real_clip_into_the_database(tmp_path: Path, shared: Path) -> None:
    with played(tmp_path, shared / "footage") as service:
        events = [json.loads(line) for line in vigie(service, "events", "list", "--json").splitlines()]

    found = {(event["kind"].removeprefix("KIND_"), camera.rsplit("/", 1)[1]) for event in events for camera in event["cameras"]}
    assert found == EXPECTED
    assert all(event["state"] == "EVENT_STATE_NEW" for event in events)
    assert all(event["reason"] and event["known_limits"] for event in events)
    with closing(sqlite3.connect(tmp_path / "vigie.db")) as database:
        recorded = {Kind(kind).name for (kind,) in database.execute("SELECT DISTINCT kind FROM events")}
        pictures = database.execute("SELECT count(*) FROM signal_revisions WHERE evidence IS NOT NULL").fetchone()
    assert recorded == {kind for kind, _ in EXPECTED}
    assert pictures[0] >= len(EXPECTED)
