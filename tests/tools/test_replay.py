import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from tests.cluster.video.clips import cut, write_clip
from tests.fakes.detectors import FixedDetector
from tests.tools.conftest import Outcome
from tools import replay
from tools.errors import ExitCode

Vigie = Callable[..., Outcome]

VENUE = """\
venue: park
time_zone: Europe/Paris
authorizations:
  - {id: act-1, reference: act 1, controller: prefect, motive: test, start: 2001-01-01T00:00:00Z, end: 2001-01-02T00:00:00Z,
     cameras: [gate, roof], kinds: [ZONE_INTRUSION]}
cameras:
  - id: gate
    stream: file:gate.mp4
    picture: {width: 640, height: 480}
    zones:
      door: {polygon: [[100, 100], [500, 100], [500, 400], [100, 400]]}
    rules:
      - {kind: ZONE_INTRUSION, zone: door}
  - id: roof
    stream: file:roof.mp4
    picture: {width: 640, height: 480}
    zones:
      door: {polygon: [[100, 100], [500, 100], [500, 400], [100, 400]]}
    rules:
      - {kind: ZONE_INTRUSION, zone: door, schedule: [{from: "22:00", to: "06:00"}]}
  - id: cellar
    stream: file:cellar.mp4
    picture: {width: 640, height: 480}
    zones:
      door: {polygon: [[100, 100], [500, 100], [500, 400], [100, 400]]}
    rules:
      - {kind: ZONE_INTRUSION, zone: door}
"""
AT_THE_DOOR = (0.40, 0.40, 0.45, 0.70)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "50 % off?.mp4", frames=100)


@pytest.fixture
def venue(tmp_path: Path) -> str:
    path = tmp_path / "park.yaml"
    path.write_text(VENUE)
    return str(path)


@pytest.fixture(autouse=True)
def someone_at_the_door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector that sees one person always, but for tests on real footage."""
    if "shared" not in request.keywords:
        monkeypatch.setattr(replay, "_detector", lambda _models, _config: FixedDetector(AT_THE_DOOR))


def test_signals_are_printed_as_json_an_object_a_line(vigie: Vigie, clip: Path, venue: str) -> None:
    outcome = vigie("replay", str(clip), "--venue", venue, "--camera", "gate", "--json")

    assert outcome == Outcome(ExitCode.OK, outcome.out, "")
    (signal,) = map(json.loads, outcome.out.splitlines())
    assert list(signal) == ["kind", "camera", "zone", "opened_s", "closed_s", "score", "reason", "box"]
    assert signal == {
        "kind": "ZONE_INTRUSION",
        "camera": "gate",
        "zone": "door",
        "opened_s": 1.2,
        "closed_s": None,
        "score": 0.9,
        "reason": "person in zone door for 1.0 s, threshold 1.0 s",
        "box": [256.0, 192.0, 288.0, 336.0],
    }


def test_people_get_a_table(vigie: Vigie, clip: Path, venue: str) -> None:
    outcome = vigie("replay", str(clip), "--venue", venue, "--camera", "gate")

    assert "still open" in outcome.out
    assert "person in zone door for 1.0 s" in outcome.out


def test_kind_that_no_act_allows_is_said_not_to_be_looked_for(vigie: Vigie, clip: Path, venue: str) -> None:
    text = Path(venue).read_text()
    density = "rules:\n      - {kind: CROWD_DENSITY, zone: door}\n"
    plane = "    ground_plane: {picture: [[0, 0], [640, 0], [640, 480], [0, 480]], metres: [[0, 0], [9, 0], [9, 9], [0, 9]]}\n"
    Path(venue).write_text(text.replace("rules:\n", density, 1).replace("    zones:\n", f"{plane}    zones:\n", 1))

    outcome = vigie("replay", str(clip), "--venue", venue, "--camera", "gate", "--json")

    assert "no authorization allows CROWD_DENSITY at venues/park/cameras/gate: not looked for" in outcome.err
    assert len(outcome.out.splitlines()) == 1


def test_quiet_clip_says_so(vigie: Vigie, clip: Path, venue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "_detector", lambda _models, _config: FixedDetector((0.0, 0.0, 0.05, 0.1)))

    assert vigie("replay", str(clip), "--venue", venue, "--camera", "gate").out == "No signal.\n"
    assert vigie("replay", str(clip), "--venue", venue, "--camera", "gate", "--json").out == ""


def test_rate_can_be_chosen(vigie: Vigie, clip: Path, venue: str) -> None:
    outcome = vigie("replay", str(clip), "--venue", venue, "--camera", "gate", "--json", "--rate", "2")

    assert json.loads(outcome.out)["opened_s"] == 1.48


def test_evidence_is_written(vigie: Vigie, clip: Path, venue: str, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "evidence"

    vigie("replay", str(clip), "--venue", venue, "--camera", "gate", "--evidence", str(folder))

    (path,) = folder.iterdir()
    assert path.name.startswith("zone_intrusion-door-00000000-")
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape == (48, 64, 3)


def test_evidence_is_written_as_redaction_leaves_it(
    vigie: Vigie, clip: Path, venue: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red line: people are unrecognisable in evidence, on whichever way it comes about."""
    monkeypatch.setattr(replay, "evidence_jpeg", lambda *_, **__: b"redacted")

    vigie("replay", str(clip), "--venue", venue, "--camera", "gate", "--evidence", str(tmp_path / "evidence"))

    assert [path.read_bytes() for path in (tmp_path / "evidence").iterdir()] == [b"redacted"]


def test_clip_cut_short_gives_what_came_before_and_fails(vigie: Vigie, tmp_path: Path, venue: str) -> None:
    clip = cut(write_clip(tmp_path / "cut.mkv", frames=200), 0.5)

    outcome = vigie("replay", str(clip), "--venue", venue, "--camera", "gate", "--json")

    assert json.loads(outcome.out.splitlines()[0])["opened_s"] == 1.2
    assert outcome.code == ExitCode.FAILED
    assert "cut.mkv: " in outcome.err


@pytest.mark.parametrize(
    ("start", "signals"), [("2026-11-24T23:00:00", 1), ("2026-11-24T23:00:00Z", 1), ("2026-11-24T12:00:00", 0)]
)
def test_schedule_is_judged_by_when_the_clip_began(vigie: Vigie, clip: Path, venue: str, start: str, signals: int) -> None:
    outcome = vigie("replay", str(clip), "--venue", venue, "--camera", "roof", "--json", "--start", start)

    assert outcome.code == ExitCode.OK
    assert [json.loads(line)["opened_s"] for line in outcome.out.splitlines()] == [1.2] * signals


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["missing.mp4", "--camera", "gate"], ExitCode.BAD_INPUT, "missing.mp4: there is no such file"),
        (["{venue}", "--camera", "gate"], ExitCode.BAD_INPUT, "park.yaml: is no video that can be read"),
        (["{clip}", "--camera", "gtae"], ExitCode.NOT_FOUND, "has no camera 'gtae'; did you mean `gate`?"),
        (
            ["{clip}", "--camera", "cellar"],
            ExitCode.BAD_INPUT,
            "venues/park/cameras/cellar watches for ZONE_INTRUSION, and no authorization allows that",
        ),
        (["{clip}", "--camera", "roof"], ExitCode.BAD_INPUT, "camera roof has a rule with a schedule"),
        (["{clip}", "--camera", "roof", "--start", "night"], ExitCode.BAD_INPUT, "--start 'night' is no date and time"),
        (["{clip}", "--camera", "roof", "--start", "0001-01-01T00:00:00+05:00"], ExitCode.BAD_INPUT, "between 1970 and 2200"),
        (["{clip}", "--camera", "gate", "--rate", "100"], ExitCode.BAD_INPUT, "analysis_rate_hz: is 100; give 0.5 to 60"),
        (["{clip}", "--camera", "gate", "--evidence", "{clip}"], ExitCode.BAD_INPUT, "cannot be written: File exists"),
    ],
)
def test_bad_input_is_refused(vigie: Vigie, clip: Path, venue: str, arguments: list[str], code: ExitCode, problem: str) -> None:
    filled = [argument.format(clip=clip, venue=venue) for argument in arguments]

    outcome = vigie("replay", *filled, "--venue", venue)

    assert outcome.code == code
    assert problem in outcome.err


@pytest.mark.shared
def test_same_clip_gives_the_same_bytes(vigie: Vigie, shared: Path, tmp_path: Path) -> None:
    clip = shared / "footage" / "clips" / "vtest.avi"
    venue = Path(shutil.copy(Path(__file__).parent / "lawn.yaml", tmp_path))

    outcomes = [vigie("replay", str(clip), "--venue", str(venue), "--camera", "lawn", "--json", "--rate", "2") for _ in range(2)]

    assert outcomes[0] == outcomes[1]
    signals = [json.loads(line) for line in outcomes[0].out.splitlines()]
    assert {signal["kind"] for signal in signals} == {"ZONE_INTRUSION", "CROWD_DENSITY"}
    assert signals == sorted(signals, key=lambda signal: signal["opened_s"])
