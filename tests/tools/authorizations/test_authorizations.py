"""Acts from the command line, against a real service."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tools.conftest import BEGUN, Outcome, serving
from tools.errors import ExitCode

Vigie = Callable[..., Outcome]

REGISTER = """\
venue: arena
authorizations:
  - id: concert
    reference: act 2
    controller: prefect
    motive: a concert
    contact: dpo@arena.example
    max_cameras: 1
    start: {start}
    end: {end}
    cameras: all
    kinds: [ZONE_INTRUSION, FIRE]
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """Address of a service of the test's own."""
    with serving(tmp_path / "service") as address:
        yield address


@pytest.fixture
def acts(vigie: Vigie, service: str, venue_path: Path) -> Callable[..., Outcome]:
    """Calls `vigie authorizations` of a service that has the arena on record."""
    assert vigie("apply", "-f", str(venue_path), "--coordination", service).code == ExitCode.OK
    return lambda *arguments: vigie("authorizations", *arguments, "--coordination", service)


@pytest.fixture
def register(tmp_path: Path) -> Path:
    path = tmp_path / "concert.yaml"
    path.write_text(REGISTER.format(start=BEGUN - timedelta(hours=1), end=BEGUN + timedelta(days=20)))
    return path


def shown(acts: Callable[..., Outcome], name: str = "arena/act-1") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(acts("show", name, "--json").out)
    return found


def test_acts_are_listed_for_people_and_for_programs(acts: Callable[..., Outcome]) -> None:
    table = acts("list", "--venue", "arena", "--state", "in_force")
    assert (table.code, "arena/act-1" in table.out, "in force" in table.out) == (ExitCode.OK, True, True)
    assert json.loads(acts("list", "--json").out)["reference"] == "act 1"
    assert acts("list", "--state", "revoked").out == "No such acts.\n"
    assert acts("list", "--state", "gone").code == ExitCode.USAGE


def test_suspension_says_what_stops_and_can_be_lifted(acts: Callable[..., Outcome]) -> None:
    suspended = acts("suspend", "arena/act-1", "--reason", "a complaint")
    assert suspended.out == "venues/arena/authorizations/act-1: suspended\n1 camera stops within seconds\n"
    (suspension,) = shown(acts)["suspensions"]
    assert suspension["reason"] == "a complaint"
    again = acts("suspend", "arena/act-1", "--camera", "gate-1", "--reason", "again")
    assert (again.code, "is suspended there already" in again.err) == (ExitCode.CONFLICT, True)
    lifted = acts("lift", "arena/act-1", "--reason", "looked into")
    assert lifted.out == "venues/arena/authorizations/act-1: in force\n1 camera starts within seconds\n"
    assert "is not suspended" in acts("lift", "arena/act-1", "--reason", "again").err
    assert "looked into" in acts("show", "arena/act-1").out


def test_one_of_several_suspensions_must_be_named(acts: Callable[..., Outcome], register: Path) -> None:
    acts("record", "-f", str(register))
    for kind in ("FIRE", "ZONE_INTRUSION"):
        assert acts("suspend", "arena/concert", "--kind", kind, "--reason", "a complaint").code == ExitCode.OK
    unnamed = acts("lift", "arena/concert", "--reason", "looked into")
    assert (unnamed.code, "has several suspensions; name one" in unnamed.err) == (ExitCode.BAD_INPUT, True)
    first = shown(acts, "arena/concert")["suspensions"][0]["id"]
    assert "partly suspended" in acts("lift", "arena/concert", "--suspension", first, "--reason", "looked into").out


def test_act_is_recorded_from_a_file(acts: Callable[..., Outcome], register: Path) -> None:
    tried = acts("record", "-f", str(register), "--dry-run")
    assert tried.out == "venues/arena/authorizations/concert: can be recorded\n"
    recorded, again = acts("record", "-f", str(register)), acts("record", "-f", str(register), "--json")
    assert recorded.out.endswith("concert: in force\nnothing changes at the cameras for now\n")
    assert json.loads(again.out)["effect"] == "nothing changes at the cameras for now"
    found = shown(acts, "arena/concert")
    assert (found["max_cameras"], found["contact"], found["cameras"]) == (
        1,
        "dpo@arena.example",
        ["venues/arena/cameras/gate-1"],
    )
    register.write_text(register.read_text().replace("a concert", "a match"))
    changed = acts("record", "-f", str(register))
    assert (changed.code, "an act never changes" in changed.err) == (ExitCode.CONFLICT, True)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cameras: all", "cameras: [roof]", ":11: authorizations[0].cameras[0]: 'venues/arena/cameras/roof' is no camera"),
        ("FIRE", "FACES", ":12: authorizations[0].kinds[1]: is 'FACES'"),
        ("motive: a concert", "motives: a concert", ":6: authorizations[0].motives: is no key here; did you mean `motive`?"),
        ("max_cameras: 1", "max_cameras: many", ":8: authorizations[0].max_cameras: is 'many'; write a whole number"),
        ("venue: arena", "venue: Arena!", ":1: venue: 'Arena!' is no id"),
    ],
)
def test_what_is_wrong_with_a_file_of_acts_is_said_by_line(
    acts: Callable[..., Outcome], register: Path, old: str, new: str, says: str
) -> None:
    register.write_text(register.read_text().replace(old, new))
    outcome = acts("record", "-f", str(register))
    assert outcome.code == ExitCode.BAD_INPUT
    assert f"{register}{says}" in outcome.err


def test_act_of_more_than_a_month_is_refused_by_line(acts: Callable[..., Outcome], register: Path) -> None:
    register.write_text(REGISTER.format(start=BEGUN, end=BEGUN + timedelta(days=32)))
    assert f"{register}:10: authorizations[0].end: lies more than a month after" in acts("record", "-f", str(register)).err


def test_revoked_act_is_over(acts: Callable[..., Outcome]) -> None:
    revoked = acts("revoke", "arena/act-1", "--reason", "called off")
    assert revoked.out == "venues/arena/authorizations/act-1: revoked\n1 camera stops within seconds\n"
    assert "called off" in acts("show", "arena/act-1").out
    notice = acts("notice", "arena")
    assert (notice.code, "has no act that is in force or to come" in notice.err) == (ExitCode.NOT_FOUND, True)


def test_notice_is_written_where_it_is_asked_for(acts: Callable[..., Outcome], tmp_path: Path) -> None:
    assert acts("notice", "arena").out.startswith("# Analyse algorithmique d'images de vidéoprotection : Arena\n")
    out = tmp_path / "notice.html"
    assert acts("notice", "arena", "--out", str(out), "--language", "en").out == f"{out}\n"
    assert "<h1>Algorithmic analysis of camera pictures: Arena</h1>" in out.read_text()
    for wrong in (("--out", "notice.pdf"), ("--language", "de")):
        assert acts("notice", "arena", *wrong).code == ExitCode.USAGE


@pytest.mark.parametrize("name", ["arena", "arena/", "arena/x/y", "venues/arena/cameras/gate-1"])
def test_name_of_no_act_is_refused(vigie: Vigie, name: str) -> None:
    assert vigie("authorizations", "show", name, "--coordination", "127.0.0.1:1").code == ExitCode.USAGE
