"""The verdict on a run is only worth something if it finds what is wrong, and excuses nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from tools.chaos.cluster.drill import Recovery
from tools.chaos.cluster.faults import Fault
from tools.chaos.cluster.record import Entry, Record, Recorded
from tools.chaos.cluster.venues import Venues
from tools.chaos.cluster.verdict import judge
from tools.rehearsal.round import Round

VENUES = Venues(cameras=2, venues=1, scene=Round(rate_hz=10), rate_hz=5.0)
SPAN_S = (1_000_000.0, 1_000_060.0)
FIRST_OWNER = int((SPAN_S[0] - 100) * 1000)

ONCE = "every revision that was raised is recorded once"
ONE_VOICE = "no owner spoke for a camera once the next one was known"
SEEN = "everybody was seen whom no fault hid"
NO_GHOSTS = "nobody was seen who was not there"


def visits(camera: str) -> list[tuple[float, float]]:
    return list(VENUES.scene.visits(VENUES.offset_s(VENUES.names()[camera]), *SPAN_S))


def revision(number: int, camera: str, opened_s: float, *, incarnation: int = FIRST_OWNER) -> Recorded:
    return Recorded((UUID(int=number), 1), camera, incarnation, opened_s, opened_s + 0.1)


@pytest.fixture
def recorded() -> list[Recorded]:
    """What an undisturbed run records: each visit of each camera, soon after it began."""
    seen = [(camera, came_s) for camera in VENUES.names() for came_s, _ in visits(camera)]
    return [revision(number, camera, came_s + 0.5) for number, (camera, came_s) in enumerate(seen)]


def raised(recorded: Sequence[Recorded]) -> list[Entry]:
    return [Entry(each.revision, "recorded", "") for each in recorded]


def problems(
    recorded: Sequence[Recorded],
    entries: Sequence[Entry] | None = None,
    recoveries: Sequence[Recovery] = (),
    owners: Sequence[int] = (FIRST_OWNER,),
) -> set[str]:
    """The claims that do not hold."""
    record = Record(recorded, dict.fromkeys(VENUES.names(), owners))
    findings = judge(VENUES, SPAN_S, recoveries, raised(recorded) if entries is None else entries, record)
    return {finding.claim for finding in findings if finding.problems}


def fault(began_s: float, ended_s: float, *, blinds: bool) -> Recovery:
    return Recovery(Fault("something", lambda *_: None, blinds=blinds), began_s, ended_s, ended_s - began_s, 0.0)


def test_undisturbed_run_has_no_problems(recorded: list[Recorded]) -> None:
    assert len(recorded) > 4
    assert problems(recorded) == set()


def test_lost_revision_is_found(recorded: list[Recorded]) -> None:
    lost = Entry((UUID(int=999), 1), "recorded", "")
    assert problems(recorded, [*raised(recorded), lost]) == {ONCE}


def test_revision_that_still_waits_is_found(recorded: list[Recorded]) -> None:
    entries = raised(recorded)
    assert problems(recorded, [replace(entries[0], outcome="pending"), *entries[1:]]) == {ONCE}


def test_revision_that_nobody_raised_is_found(recorded: list[Recorded]) -> None:
    assert problems(recorded, raised(recorded)[1:]) == {ONCE}


def test_refusal_is_excused_only_by_a_newer_owner(recorded: list[Recorded]) -> None:
    older = Entry((UUID(int=999), 1), "rejected", "OLD_INCARNATION: incarnation: the camera has a newer owner")
    other = replace(older, detail="no act allows it")
    assert problems(recorded, [*raised(recorded), older]) == set()
    assert problems(recorded, [*raised(recorded), other]) == {ONCE}


def test_owner_that_speaks_long_after_the_next_one_began_is_found(recorded: list[Recorded]) -> None:
    last = max(recorded, key=lambda each: each.raised_s)
    assert problems(recorded, owners=(FIRST_OWNER, int((last.raised_s - 1) * 1000))) == set()
    assert problems(recorded, owners=(FIRST_OWNER, int((last.raised_s - 6) * 1000))) == {ONE_VOICE}


def test_visit_that_was_missed_is_found(recorded: list[Recorded]) -> None:
    assert problems(recorded[1:]) == {SEEN}


def test_visit_is_excused_while_a_fault_hides_it(recorded: list[Recorded]) -> None:
    came_s, _ = visits(recorded[0].camera)[0]
    assert problems(recorded[1:], recoveries=[fault(came_s - 1, came_s + 3, blinds=True)]) == set()
    assert problems(recorded[1:], recoveries=[fault(came_s - 1, came_s + 3, blinds=False)]) == {SEEN}
    assert problems(recorded[1:], recoveries=[fault(came_s - 20, came_s - 15, blinds=True)]) == {SEEN}


def test_visit_is_excused_while_its_camera_changes_hands(recorded: list[Recorded]) -> None:
    came_s, _ = visits(recorded[0].camera)[0]
    lost = fault(came_s - 1, came_s + 9, blinds=False)
    given = int((came_s + 7) * 1000)
    later = [replace(each, incarnation=given) if each.raised_s * 1000 > given else each for each in recorded[1:]]
    assert problems(later, recoveries=[lost], owners=(FIRST_OWNER, given)) == set()


def test_somebody_who_was_not_there_is_found(recorded: list[Recorded]) -> None:
    ghost = revision(999, recorded[0].camera, visits(recorded[0].camera)[0][0] - 3)
    assert problems([*recorded, ghost]) == {NO_GHOSTS}
