"""What becomes of signals as their revisions arrive."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.admission import Act, CameraStanding, Rejection, RejectionReason
from services.coordination.domain.ledger import Excerpt, Ledger
from services.coordination.domain.signals import Evidence, Signal, SignalRevision
from vigie.vocabulary import Kind, Severity

NOW = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)
GATE = ("arena", "gate")
FIRST_OWNER, SECOND_OWNER = (int((NOW + timedelta(minutes=minutes)).timestamp() * 1000) for minutes in (-60, -5))


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def standing(*incarnations: int, recording: bool = False, acts: Sequence[Act] | None = None) -> CameraStanding:
    usual = Act(frozenset({"gate"}), frozenset(Kind), at(-120), at(120), None)
    return CameraStanding(recording, None, (usual,) if acts is None else tuple(acts), frozenset(incarnations))


def revision(
    number: int = 1, *, signal: int = 1, opened: float = -30, closed: float | None = None, raised: float | None = None
) -> SignalRevision:
    return SignalRevision(
        signal_id=UUID(int=signal),
        revision=number,
        venue="arena",
        camera="gate",
        incarnation=FIRST_OWNER,
        sequence=number,
        kind=Kind.ZONE_INTRUSION,
        zone="pitch",
        severity=Severity.NOTICE,
        score=0.5,
        reason=f"revision {number}",
        open_time=at(opened),
        update_time=at(opened if closed is None else closed),
        close_time=None if closed is None else at(closed),
        raise_time=at(opened if raised is None else raised),
        box=None,
        ground_point=None,
        evidence=None,
    )


def ledger(
    *,
    stands: CameraStanding | None = None,
    signals: Iterable[Signal] = (),
    recorded: Iterable[tuple[UUID, int]] = (),
) -> Ledger:
    numbers = count(1000)
    on_record = {signal.signal_id: signal for signal in signals}
    excerpt = Excerpt({GATE: stands or standing(FIRST_OWNER)}, on_record, frozenset(recorded))
    return Ledger(excerpt, ids=lambda: UUID(int=next(numbers)))


def entered(*revisions: SignalRevision) -> Ledger:
    made = ledger()
    for each in revisions:
        made.enter(each)
    return made


def only(made: Ledger) -> Signal:
    (signal,) = made.signals.values()
    return signal


def test_a_first_revision_opens_a_signal_with_an_event_of_its_own() -> None:
    made = ledger()
    assert made.enter(revision()) is True
    signal = only(made)
    assert (signal.event_id, signal.revision, signal.open_time, signal.close_time) == (UUID(int=1000), 1, at(-30), None)


def test_a_repeated_revision_is_recorded_once() -> None:
    made = ledger()
    assert [made.enter(revision()), made.enter(revision())] == [True, False]
    assert len(made.revisions) == 1


def test_a_late_lower_revision_is_kept_but_changes_nothing() -> None:
    made = entered(revision(1), revision(3, closed=-20))
    before = dict(made.signals)
    assert made.enter(revision(2)) is True
    assert made.signals == before
    assert [each.revision for each in made.revisions] == [1, 3, 2]


def test_what_an_older_owner_left_open_is_closed_when_the_next_began() -> None:
    made = ledger(stands=standing(FIRST_OWNER, SECOND_OWNER))
    made.enter(revision())
    signal = only(made)
    assert (signal.close_time, signal.orphaned) == (at(-5), True)


def test_what_was_left_open_in_a_recording_ends_when_it_was_last_seen() -> None:
    made = ledger(stands=standing(FIRST_OWNER, SECOND_OWNER, recording=True))
    made.enter(revision())
    signal = only(made)
    assert (signal.close_time, signal.orphaned) == (at(-30), True)


def test_an_owner_that_closes_late_knows_better_than_the_service() -> None:
    made = ledger(stands=standing(FIRST_OWNER, SECOND_OWNER))
    made.enter(revision())
    made.enter(revision(2, closed=-20, raised=-20))
    signal = only(made)
    assert (signal.close_time, signal.orphaned) == (at(-20), False)


def test_a_signal_stands_where_its_first_revision_saw_it() -> None:
    first, second = replace(revision(1), ground_point=(1.0, 1.0)), replace(revision(2), ground_point=(9.0, 9.0))
    for order in ([first, second], [second, first]):
        assert only(entered(*order)).ground_point == (1.0, 1.0)


def test_a_picture_that_comes_late_is_not_lost() -> None:
    with_picture = replace(revision(1), evidence=Evidence("ab" * 32, 3))
    assert only(entered(revision(2), with_picture)).evidence == "ab" * 32


def test_what_is_as_it_was_on_record_has_not_changed() -> None:
    signal = only(entered(revision(2)))
    made = ledger(signals=[signal], recorded=[(signal.signal_id, 2)])
    assert made.enter(revision(1)) is True
    assert not made.signals
    assert made.before(signal.signal_id) == signal


def rejected(made: Ledger, each: SignalRevision) -> RejectionReason:
    result = made.enter(each)
    assert isinstance(result, Rejection)
    assert result.message
    assert not made.revisions
    return result.reason


def test_older_incarnation_is_rejected_from_the_moment_the_next_begins() -> None:
    fenced = standing(FIRST_OWNER, SECOND_OWNER)
    assert rejected(ledger(stands=fenced), revision(opened=-6, raised=-5)) is RejectionReason.OLD_INCARNATION
    assert ledger(stands=fenced).enter(revision(opened=-6, raised=-5.1)) is True


def test_a_camera_that_was_never_applied_is_unknown() -> None:
    assert rejected(Ledger(Excerpt({}), ids=lambda: UUID(int=1)), revision()) is RejectionReason.UNKNOWN_CAMERA


def test_a_withdrawn_camera_raises_nothing_later() -> None:
    withdrawn = replace(standing(FIRST_OWNER), withdrawn_time=at(-20))
    assert ledger(stands=withdrawn).enter(revision(raised=-21)) is True
    assert rejected(ledger(stands=withdrawn), revision(raised=-20)) is RejectionReason.UNKNOWN_CAMERA


def test_what_a_withdrawn_camera_had_open_is_closed_later() -> None:
    made = ledger(stands=replace(standing(FIRST_OWNER), withdrawn_time=at(-20)))
    made.enter(revision(raised=-21))
    assert made.enter(revision(2, closed=-20, raised=-19)) is True
    assert only(made).close_time == at(-20)


def act(start: float, end: float, *, kinds: Iterable[Kind] = Kind, withdrawn: float | None = None) -> Act:
    return Act(frozenset({"gate"}), frozenset(kinds), at(start), at(end), None if withdrawn is None else at(withdrawn))


def test_nothing_is_recorded_outside_every_act() -> None:
    for acts in ([], [act(-20, 60)], [act(-60, -30)], [act(-60, 60, kinds=[Kind.FIRE])], [act(-60, 60, withdrawn=-40)]):
        assert rejected(ledger(stands=standing(FIRST_OWNER, acts=acts)), revision(opened=-30)) is RejectionReason.UNAUTHORIZED


def test_an_update_after_the_act_is_rejected_and_a_close_is_not() -> None:
    made = ledger(stands=standing(FIRST_OWNER, acts=[act(-60, -25)]))
    assert made.enter(revision(opened=-30)) is True
    late = replace(revision(2, opened=-30), update_time=at(-24))
    result = made.enter(late)
    assert isinstance(result, Rejection)
    assert result.reason is RejectionReason.UNAUTHORIZED
    assert made.enter(revision(2, opened=-30, closed=-24)) is True


def test_the_frame_at_which_an_act_ends_may_close_a_signal() -> None:
    assert ledger(stands=standing(FIRST_OWNER, acts=[act(-60, -25)])).enter(revision(opened=-30, closed=-25)) is True


def test_a_recording_needs_an_act_when_it_is_analysed_not_when_it_was_taken() -> None:
    analysed = standing(FIRST_OWNER, recording=True, acts=[act(-10, 10)])
    assert ledger(stands=analysed).enter(revision(opened=-1e6, raised=-1)) is True
    assert rejected(ledger(stands=analysed), revision(opened=-5, raised=-11)) is RejectionReason.UNAUTHORIZED


def test_an_id_belongs_to_one_camera_and_kind() -> None:
    made = entered(revision())
    result = made.enter(replace(revision(2), kind=Kind.FIRE))
    assert isinstance(result, Rejection)
    assert result.reason is RejectionReason.INVALID


histories = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(-55, -6), st.integers(0, 3), st.booleans()),
    min_size=1,
    max_size=20,
)


@given(histories, st.data())
def test_repetition_changes_nothing(drawn: list[tuple[int, int, int, int, bool]], data: st.DataObject) -> None:
    seen: dict[tuple[int, int], SignalRevision] = {}
    for signal, number, opened, length, is_closed in drawn:
        first = next((each for (other, _), each in seen.items() if other == signal), None)
        start = opened if first is None else (first.open_time - NOW).total_seconds() / 60
        seen.setdefault(
            (signal, number), revision(number, signal=signal, opened=start, closed=start + length if is_closed else None)
        )
    once = list(seen.values())
    repeated = [each for index, each in enumerate(once) for each in (each, data.draw(st.sampled_from(once[: index + 1])))]
    plain, doubled = entered(*once), entered(*repeated)
    assert (plain.signals, plain.revisions) == (doubled.signals, doubled.revisions)


@given(st.permutations([revision(1), revision(2), revision(3), revision(4, closed=-20)]))
def test_revisions_in_any_order_leave_the_signal_as_the_newest_does(order: list[SignalRevision]) -> None:
    signal = only(entered(*order))
    assert (signal.revision, signal.close_time) == (4, at(-20))
