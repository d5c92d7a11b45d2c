import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.inference.models import ArmableDetector, Fits
from cluster.video.frame import Fit
from tests.cluster.video.clips import cut, write_clip
from tests.fakes.detectors import FixedDetector
from tests.tools.conftest import Outcome
from tests.tools.evaluate.labelled import sha256, write_label
from tools.errors import ExitCode
from tools.evaluate import player
from tools.evaluate.conditions import CONDITIONS

Vigie = Callable[..., Outcome]

IN_THE_DOOR = (0.40, 0.40, 0.60, 0.90)


@pytest.fixture(autouse=True)
def someone_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector that sees one person in every picture."""
    used = player.Equipment(Fits(Fit(64, 64)), ArmableDetector(FixedDetector(IN_THE_DOOR), None, provider="none"))
    monkeypatch.setattr(player, "equipment", lambda *_: used)


def test_figures_of_each_kind_and_what_became_of_each_clip_are_one_json_document(vigie: Vigie, labels: Path) -> None:
    outcome = vigie("evaluate", str(labels), "--jobs", "1", "--json")

    assert outcome == Outcome(ExitCode.OK, outcome.out, "")
    found = json.loads(outcome.out)
    assert list(found) == ["pack", "weapon_pack", "under", "without", "kinds", "apart", "clips", "variations", "failures"]
    assert found["pack"]["name"] == "nanodet-g-coco"
    (intrusions,) = found["kinds"].values()
    assert intrusions == {
        "found": 1,
        "missed": 0,
        "false_alarms": 1,
        "recall": 1.0,
        "recall_interval": [0.2065, 1.0],
        "precision": 0.5,
        "precision_interval": [0.0945, 0.9055],
        "f1": 0.6667,
        "f1_interval": [0.1727, 0.9504],
        "false_alarms_per_camera_hour": 450.0,
        "false_alarms_per_camera_hour_interval": [11.393, 2507.2395],
        "watched_s": 8.0,
        "delay_s": {"median": 1.2, "max": 1.2},
    }
    nobody, someone = found["clips"]
    assert nobody["events"] == []
    assert [signal["met"] for signal in nobody["signals"]] == [False]
    assert someone["rate_hz"] == 5
    assert someone["events"] == [
        {
            "kind": "ZONE_INTRUSION",
            "zone": "door",
            "start_s": 0.0,
            "end_s": 4.0,
            "box": None,
            "found": True,
            "delay_s": 1.2,
        }
    ]
    (signal,) = someone["signals"]
    assert (signal["opened_s"], signal["closed_s"], signal["met"], signal["delay_s"]) == (1.2, None, True, 1.2)
    assert "1.0 s" in signal["reason"]


def test_set_apart_is_reported_apart(vigie: Vigie, labels: Path) -> None:
    found = json.loads(vigie("evaluate", str(labels), "--jobs", "1", "--apart", "no*", "--json").out)

    assert (found["kinds"]["ZONE_INTRUSION"]["found"], found["kinds"]["ZONE_INTRUSION"]["false_alarms"]) == (1, 0)
    assert (found["apart"]["ZONE_INTRUSION"]["found"], found["apart"]["ZONE_INTRUSION"]["false_alarms"]) == (0, 1)


def test_each_condition_stands_beside_the_plain_run(vigie: Vigie, labels: Path) -> None:
    found = json.loads(vigie("evaluate", str(labels), "--jobs", "1", "--under", "each", "--json").out)

    assert [found["under"], *(run["under"] for run in found["variations"])] == list(CONDITIONS)
    for run in found["variations"]:
        assert run["kinds"]["ZONE_INTRUSION"]["found"] == 1, run["under"]
        assert run["kinds"]["ZONE_INTRUSION"]["watched_s"] == (6 if run["under"] == "late" else 8)


def test_run_without_a_part_is_about_the_kind_of_the_part_alone(vigie: Vigie, labels: Path) -> None:
    found = json.loads(vigie("evaluate", str(labels), "--jobs", "1", "--without", "zone_intrusion.edge", "--json").out)

    (without,) = found["variations"]
    assert (without["under"], without["without"]) == ("plain", ["zone_intrusion.edge"])
    assert without["kinds"] == found["kinds"]
    assert all(clip["kinds"] == ["ZONE_INTRUSION"] for clip in without["clips"])


def test_tables_are_for_people(vigie: Vigie, labels: Path) -> None:
    outcome = vigie("evaluate", str(labels), "--jobs", "1", "--under", "late")

    assert outcome.code == ExitCode.OK
    assert re.search(r"ZONE_INTRUSION +1 +0 +1 +1\.00 +0\.50 +450 +1\.2 s *\n +0\.21-1\.00 +0\.09-0\.91", outcome.out)
    assert re.search(r"nobody +ZONE_INTRUSION +false +1\.2 s +person", outcome.out)
    assert re.search(r"under late +ZONE_INTRUSION +1 > 1 +0 > 0 +1 > 1 +\+0\.00 +\+0\.00", outcome.out)


def test_report_shows_each_signal_and_needs_nothing_else(vigie: Vigie, labels: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    vigie("evaluate", str(labels), "--jobs", "1", "--report", str(page), "--under", "late")

    content = page.read_text()
    assert content.count('src="data:image/jpeg;base64,') == 2
    assert not re.search(r"""(src|href)=["'](?!data:)|url\(|<script""", content)
    for text in ("✓ 1 found", "! 1 false", "opened at 1.2 s", "under late", "zone intrusion: what happens"):
        assert text in content


def test_report_shows_names_as_they_are(vigie: Vigie, labels: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    (labels / "someone.json").rename(labels / "<b>someone.json")
    vigie("evaluate", str(labels), "--jobs", "1", "--report", str(page))

    assert "&lt;b&gt;someone" in page.read_text()


def test_clip_that_cannot_be_played_is_named_and_the_others_go_on(vigie: Vigie, labels: Path) -> None:
    cut(labels.parent / "clips" / "nobody.mp4", 0.5)
    write_label(labels / "gone.json", clip="clips/gone.mp4")
    broken = cut(write_clip(labels.parent / "clips" / "broken.mp4"), 0.1)
    write_label(labels / "broken.json", clip="clips/broken.mp4", sha256=sha256(broken))

    outcome = vigie("evaluate", str(labels), "--jobs", "1", "--json")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "gone.json: " in outcome.err
    assert "gone.mp4: cannot be read: No such file or directory; put the clip there" in outcome.err
    assert re.search("nobody.mp4: has sha256 [0-9a-f]{64}, but its label says [0-9a-f]{64}; put back the clip", outcome.err)
    assert "broken.json: " in outcome.err
    assert "3 of 4 clips could not be played and are left out" in outcome.err
    found = json.loads(outcome.out)
    assert [clip["label"] for clip in found["clips"]] == ["someone"]
    assert len(found["failures"]) == 3


def test_weapons_without_a_pack_are_refused_in_words(vigie: Vigie, labels: Path) -> None:
    write_label(
        labels / "someone.json",
        clip="clips/someone.mp4",
        sha256=sha256(labels.parent / "clips" / "someone.mp4"),
        watch=[{"kind": "WEAPON"}],
    )

    outcome = vigie("evaluate", str(labels / "someone.json"), "--jobs", "1")

    assert outcome.code == ExitCode.BAD_INPUT
    assert "no validated weapon pack exists" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--kind", "FLOOD"], "--kind FLOOD: is none of ABANDONED_OBJECT"),
        (["--kind", "FIRE"], "no label watches for FIRE"),
        (["--under", "fog"], "--under fog: is not known"),
        (["--without", "fire.fog"], "--without fire.fog: is not known"),
        (["--pack", "nowhere"], "nowhere: is no folder"),
        (["--report", "nowhere/report.html", "--jobs", "1"], "--report nowhere/report.html: cannot be written"),
    ],
)
def test_option_that_makes_no_sense_is_refused(vigie: Vigie, labels: Path, arguments: list[str], problem: str) -> None:
    outcome = vigie("evaluate", str(labels), *arguments)

    assert outcome.code == ExitCode.BAD_INPUT
    assert problem in outcome.err
