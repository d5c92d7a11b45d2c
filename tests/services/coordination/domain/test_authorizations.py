"""What an act may say, and what it allows once parts of it are suspended."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given as provided
from hypothesis import strategies as st

from services.coordination.domain.authorizations import (
    act_violations,
    allowance,
    allowed_kinds,
    differing,
    given,
    month_after,
    state_of,
    suspends_anything,
)
from tests.services.coordination.builders import CROWD_DENSITY, ZONE_INTRUSION, ago, authorization, timestamp, utc_now
from vigie.v1.authorizations_pb2 import (
    AUTHORIZATION_STATE_EXPIRED,
    AUTHORIZATION_STATE_IN_FORCE,
    AUTHORIZATION_STATE_PARTLY_SUSPENDED,
    AUTHORIZATION_STATE_PENDING,
    AUTHORIZATION_STATE_REVOKED,
    AUTHORIZATION_STATE_SUSPENDED,
    Authorization,
    Suspension,
)

PARIS = ZoneInfo("Europe/Paris")
GATE, STAND = "venues/arena/cameras/gate", "venues/arena/cameras/stand"

Change = Callable[[Authorization], object]


def act(*suspensions: Suspension) -> Authorization:
    message = authorization([GATE, STAND])
    message.suspensions.extend(suspensions)
    return message


def halt(*, cameras: tuple[str, ...] = (), kinds: tuple[int, ...] = (), lifted: bool = False) -> Suspension:
    lift_time = timestamp(utc_now()) if lifted else None
    return Suspension(cameras=cameras, kinds=kinds, lift_time=lift_time)  # type: ignore[arg-type] # numbers of kinds


@pytest.mark.parametrize(
    ("start", "latest"),
    [
        ("2026-01-15T10:00:00", "2026-02-15T10:00:00"),
        ("2026-01-31T00:00:00", "2026-02-28T00:00:00"),
        ("2028-01-31T00:00:00", "2028-02-29T00:00:00"),
        ("2026-02-28T08:00:00", "2026-03-28T08:00:00"),
        ("2026-07-01T00:00:00", "2026-08-01T00:00:00"),
        ("2026-12-31T23:59:59", "2027-01-31T23:59:59"),
        # The clocks of Paris go forward on 29 March 2026 and back on 25 October.
        ("2026-03-20T12:00:00", "2026-04-20T12:00:00"),
        ("2026-10-20T12:00:00", "2026-11-20T12:00:00"),
    ],
)
def test_act_lasts_to_the_same_day_of_the_next_month_at_most(start: str, latest: str) -> None:
    message = authorization([GATE])
    begins, ends = (datetime.fromisoformat(text).replace(tzinfo=PARIS) for text in (start, latest))
    message.start_time.CopyFrom(timestamp(begins))
    message.end_time.CopyFrom(timestamp(ends))
    assert violations(message) == {}
    message.end_time.CopyFrom(timestamp(ends.astimezone(UTC) + timedelta(seconds=1)))
    assert ends.isoformat() in violations(message)["end_time"]


@provided(st.timedeltas(timedelta(0), timedelta(days=80_000)))
def test_a_month_has_28_to_31_days_and_ends_in_the_next_month(age: timedelta) -> None:
    start = datetime(1970, 1, 1, tzinfo=UTC) + age
    end = month_after(start)
    assert timedelta(days=28) <= end - start <= timedelta(days=31)
    assert end.month == start.month % 12 + 1


BAD: dict[str, tuple[Change, str, str]] = {
    "act of another venue": (lambda a: setattr(a, "name", "venues/x/authorizations/a"), "name", "no act of venues/arena"),
    "act without a name": (lambda a: a.ClearField("name"), "name", "venues/{venue}/authorizations/{authorization}"),
    "act without a motive": (lambda a: a.ClearField("motive"), "motive", "missing"),
    "endless contact": (lambda a: setattr(a, "contact", "x" * 201), "contact", "at most 200"),
    "contact with a null": (lambda a: setattr(a, "contact", "a\0"), "contact", "control characters"),
    "more cameras than it allows": (lambda a: setattr(a, "max_cameras", 1), "cameras", "at most 1, its max_cameras"),
    "time without a year": (lambda a: a.end_time.CopyFrom(Timestamp(seconds=10**12)), "end_time", "1970 and 2200"),
    "end at the start": (lambda a: a.end_time.CopyFrom(a.start_time), "end_time", "after start_time"),
    "kind twice": (lambda a: a.kinds.append(ZONE_INTRUSION), "kinds[2]", "given twice"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_by_field(case: str) -> None:
    change, field, words = BAD[case]
    message = act()
    change(message)
    assert words in violations(message)[field]


def test_as_many_cameras_as_are_allowed_may_be_named() -> None:
    message = act()
    message.max_cameras, message.contact = 2, "dpo@arena.example"
    assert violations(message) == {}


def violations(message: Authorization) -> dict[str, str]:
    return {found.field: found.description for found in act_violations(message, "venues/arena", {GATE, STAND}, PARIS)}


def test_what_the_service_adds_makes_no_other_act() -> None:
    recorded = act(halt())
    recorded.recorder, recorded.state = "Ada", AUTHORIZATION_STATE_SUSPENDED
    recorded.record_time.CopyFrom(timestamp(utc_now()))
    assert given(recorded) == act()
    assert differing(recorded, act()) == []


def test_order_makes_no_other_act_and_anything_else_does() -> None:
    other = act()
    other.cameras.reverse()
    other.kinds.reverse()
    assert differing(act(), other) == []
    other.cameras.pop()
    other.contact = "elsewhere"
    assert differing(act(), other) == ["cameras", "contact"]


@pytest.mark.parametrize(
    ("suspensions", "gate", "stand"),
    [
        ((), {ZONE_INTRUSION, CROWD_DENSITY}, {ZONE_INTRUSION, CROWD_DENSITY}),
        ((halt(),), set(), set()),
        ((halt(cameras=(GATE,)),), set(), {ZONE_INTRUSION, CROWD_DENSITY}),
        ((halt(kinds=(ZONE_INTRUSION,)),), {CROWD_DENSITY}, {CROWD_DENSITY}),
        ((halt(cameras=(GATE,), kinds=(ZONE_INTRUSION,)),), {CROWD_DENSITY}, {ZONE_INTRUSION, CROWD_DENSITY}),
        ((halt(kinds=(ZONE_INTRUSION,)), halt(cameras=(STAND,), kinds=(CROWD_DENSITY,))), {CROWD_DENSITY}, set()),
        ((halt(lifted=True),), {ZONE_INTRUSION, CROWD_DENSITY}, {ZONE_INTRUSION, CROWD_DENSITY}),
    ],
)
def test_what_is_suspended_is_not_allowed(suspensions: tuple[Suspension, ...], gate: set[int], stand: set[int]) -> None:
    message = act(*suspensions)
    assert [allowed_kinds(message, camera) for camera in (GATE, STAND)] == [frozenset(gate), frozenset(stand)]
    left = allowance(message, GATE)
    assert (set(left.kinds) if left else set()) == gate


def test_cluster_learns_of_an_act_only_what_it_must_obey() -> None:
    left = allowance(act(halt(kinds=(ZONE_INTRUSION,))), GATE)
    assert left is not None
    assert {field.name for field, _ in left.ListFields()} == {"name", "reference", "start_time", "end_time", "cameras", "kinds"}
    assert list(left.cameras) == [GATE]


def test_camera_that_an_act_does_not_name_is_not_allowed() -> None:
    assert allowance(act(), "venues/arena/cameras/roof") is None


def test_suspending_again_what_is_suspended_stops_nothing() -> None:
    message = act(halt(cameras=(GATE,)))
    assert not suspends_anything(message, [GATE], [ZONE_INTRUSION])
    assert suspends_anything(message, [], [ZONE_INTRUSION])
    assert suspends_anything(message, [GATE, STAND], [])


def _revoke(message: Authorization) -> None:
    message.revocation.revoke_time.CopyFrom(timestamp(utc_now()))


def _period(start: datetime, end: datetime) -> Change:
    def change(message: Authorization) -> None:
        message.start_time.CopyFrom(timestamp(start))
        message.end_time.CopyFrom(timestamp(end))

    return change


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda a: None, AUTHORIZATION_STATE_IN_FORCE),
        (lambda a: a.suspensions.append(halt(lifted=True)), AUTHORIZATION_STATE_IN_FORCE),
        (lambda a: a.suspensions.append(halt(cameras=(GATE,))), AUTHORIZATION_STATE_PARTLY_SUSPENDED),
        (lambda a: a.suspensions.append(halt(kinds=(ZONE_INTRUSION,))), AUTHORIZATION_STATE_PARTLY_SUSPENDED),
        (lambda a: a.suspensions.append(halt()), AUTHORIZATION_STATE_SUSPENDED),
        (lambda a: a.suspensions.append(halt(cameras=(GATE, STAND))), AUTHORIZATION_STATE_SUSPENDED),
        (_period(ago(days=-1), ago(days=-2)), AUTHORIZATION_STATE_PENDING),
        (_period(ago(days=2), ago(seconds=1)), AUTHORIZATION_STATE_EXPIRED),
        (_revoke, AUTHORIZATION_STATE_REVOKED),
    ],
)
def test_state_is_by_the_clock_and_by_what_was_decided(change: Change, state: int) -> None:
    message = act()
    change(message)
    assert state_of(message, utc_now()) == state
