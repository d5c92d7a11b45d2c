"""`vigie replay` of somebody with a weapon, with made packs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ray.blobs import MAGENTA, RATE_HZ, WEAPONS, write_clip
from tests.tools.conftest import Outcome
from tools.errors import ExitCode
from tools.rehearsal.blobs import HEIGHT, WIDTH, write_pack

Vigie = Callable[..., Outcome]

VENUE = f"""\
venue: park
time_zone: Europe/Paris
authorizations:
  - {{id: act-1, reference: act 1, controller: prefect, motive: test, start: 2001-01-01T00:00:00Z, end: 2001-01-02T00:00:00Z,
     cameras: all, kinds: [WEAPON, ZONE_INTRUSION]}}
cameras:
  - id: gate
    stream: file:gate.mp4
    picture: {{width: {WIDTH}, height: {HEIGHT}}}
    rate_hz: {RATE_HZ}
    zones: {{all: {{polygon: [[0, 0], [{WIDTH}, 0], [{WIDTH}, {HEIGHT}], [0, {HEIGHT}]]}}}}
    rules:
      - {{kind: WEAPON}}
      - {{kind: ZONE_INTRUSION, zone: all}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venue, two packs, and a clip of somebody who carries something magenta."""
    folder = tmp_path_factory.mktemp("armed")
    write_pack(folder / "people")
    write_pack(folder / "weapons", WEAPONS)
    write_clip(folder / "armed.mp4", seconds=4, carries=MAGENTA)
    (folder / "park.yaml").write_text(VENUE)
    (folder / "forbidden.yaml").write_text(VENUE.replace("[WEAPON, ", "["))
    return folder


def replayed(vigie: Vigie, folder: Path, *options: str, venue: str = "park.yaml") -> Outcome:
    packs = ("--pack", str(folder / "people"), *options)
    return vigie("replay", str(folder / "armed.mp4"), "--venue", str(folder / venue), "--camera", "gate", "--json", *packs)


def kinds(outcome: Outcome) -> list[str]:
    return [json.loads(line)["kind"] for line in outcome.out.splitlines()]


def test_weapon_is_found_by_a_pack_for_weapons(vigie: Vigie, folder: Path) -> None:
    outcome = replayed(vigie, folder, "--weapon-pack", str(folder / "weapons"))

    assert (outcome.code, kinds(outcome)) == (ExitCode.OK, ["WEAPON", "ZONE_INTRUSION"])
    assert json.loads(outcome.out.splitlines()[0])["reason"] == (
        "weapon seen in 4 of the last 4 frames, 1.00 on average, carried by a person; threshold 4 of 8 frames"
    )


def test_pack_for_weapons_may_stand_in_the_environment(vigie: Vigie, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_WEAPON_PACK", str(folder / "weapons"))

    assert kinds(replayed(vigie, folder)) == ["WEAPON", "ZONE_INTRUSION"]


def test_camera_that_watches_for_weapons_is_refused_without_a_pack_for_them(vigie: Vigie, folder: Path) -> None:
    outcome = replayed(vigie, folder)

    assert (outcome.code, outcome.out) == (ExitCode.BAD_INPUT, "")
    assert "venues/park/cameras/gate: rules[0].weapon: no validated weapon pack exists, so none ships; install" in outcome.err


def test_pack_for_things_is_no_pack_for_weapons(vigie: Vigie, folder: Path) -> None:
    outcome = replayed(vigie, folder, "--weapon-pack", str(folder / "people"))

    assert outcome.code == ExitCode.BAD_INPUT
    assert "its task is object_detection, where weapon_detection is wanted; name a pack of that task" in outcome.err


def test_weapons_are_not_looked_for_without_an_act_that_allows_it(vigie: Vigie, folder: Path) -> None:
    """Red line: a camera is analysed only for what an act allows."""
    outcome = replayed(vigie, folder, "--weapon-pack", str(folder / "weapons"), venue="forbidden.yaml")

    assert kinds(outcome) == ["ZONE_INTRUSION"]
    assert "no authorization allows WEAPON at venues/park/cameras/gate: not looked for" in outcome.err
