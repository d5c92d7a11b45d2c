"""Events as a person and a program see them, against a real service."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest

from tests.tools.conftest import PICTURE, Outcome, raise_signal, serving
from tools.apply import apply_venue
from tools.errors import ExitCode
from tools.events.watching import Stub, changes
from tools.venue_file import load_venue
from vigie.limits import KNOWN_LIMITS
from vigie.names import ANY_VENUE
from vigie.v1 import event_service_pb2
from vigie.vocabulary import Kind

Vigie = Callable[..., Outcome]


@pytest.fixture
def event(vigie: Vigie, service: str, venue_path: Path) -> dict[str, Any]:
    """An intrusion at the gate, the newest event on record."""
    apply_venue(load_venue(venue_path), service, author="test")
    raise_signal(service)
    found: dict[str, Any] = json.loads(
        vigie("events", "list", "--limit", "1", "--drills", "without", "--json", "--coordination", service).out
    )
    return found


def test_list_is_a_table_for_people_and_lines_for_programs(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    table = vigie("events", "list", "--venue", "arena", "--kind", "ZONE_INTRUSION", "--since", "1h", "--coordination", service)

    assert table.code == ExitCode.OK
    assert event["name"][-8:] in table.out
    assert "a person for 1.2 s [in grass]" in table.out
    assert (event["kind"], event["zones"], event["state"]) == ("KIND_ZONE_INTRUSION", ["grass"], "EVENT_STATE_NEW")


def test_filter_that_nothing_meets_lists_nothing(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    assert vigie("events", "list", "--kind", "FIRE", "--coordination", service).out == "No such events.\n"
    assert vigie("events", "list", "--kind", "FIRE", "--json", "--coordination", service).out == ""


def test_event_is_found_by_the_end_of_its_id(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    by_name, by_end = (vigie("events", "get", name, "--coordination", service) for name in (event["name"], event["name"][-12:]))

    assert by_name == by_end
    assert "after capture" in by_name.out


def test_event_says_what_is_known_to_go_wrong_with_its_kind(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    shown = vigie("events", "get", event["name"], "--coordination", service).out

    assert event["known_limits"] == list(KNOWN_LIMITS[Kind.ZONE_INTRUSION])
    assert all(sentence in shown for sentence in event["known_limits"])


def test_evidence_is_saved_as_recorded(vigie: Vigie, service: str, event: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "pictures"

    outcome = vigie("events", "get", event["name"], "--save-evidence", str(folder), "--json", "--coordination", service)

    (saved,) = json.loads(outcome.out)["saved_evidence"]
    assert Path(saved).parent == folder
    assert Path(saved).read_bytes() == PICTURE


def test_event_that_is_not_there_is_not_found(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    missing = event["name"][:-12] + "000000000000"

    assert vigie("events", "get", missing, "--coordination", service).code == ExitCode.NOT_FOUND
    assert vigie("events", "get", "000000000000", "--coordination", service).code == ExitCode.NOT_FOUND
    assert vigie("events", "get", "abc", "--coordination", service).code == ExitCode.BAD_INPUT


def test_times_are_those_of_the_venue_unless_utc_is_asked_for(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    opened = datetime.fromisoformat(event["open_time"])

    for options, zone in (((), ZoneInfo("Europe/Paris")), (("--utc",), UTC)):
        shown = opened.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
        assert shown in vigie("events", "list", *options, "--coordination", service).out
        assert shown in vigie("events", "get", event["name"], *options, "--coordination", service).out
    assert event["open_time"].endswith("Z")


def test_event_is_found_by_its_place_and_priority(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    chosen = ("--camera", "arena/gate-1", "--zone", "grass", "--priority", "normal", "--coordination", service)

    assert event["name"] in vigie("events", "list", *chosen, "--json").out
    elsewhere = ("--camera", "arena/gate-1", "--zone", "roof", "--coordination", service)
    assert vigie("events", "list", *elsewhere).out == "No such events.\n"


def test_counts_are_a_table_for_people_and_one_object_for_programs(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    table = vigie("events", "count", "--kind", "ZONE_INTRUSION", "--coordination", service).out
    counted = json.loads(vigie("events", "count", "--json", "--coordination", service).out)

    assert "ZONE_INTRUSION" in table
    assert int(counted["total"]) == sum(int(each["events"]) for each in counted["counts"])
    assert vigie("events", "count", "--kind", "FIRE", "--coordination", service).out == "No such events.\n"


def test_drill_is_marked_wherever_a_person_sees_it(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    arguments = ("events", "drill", "arena/gate-1", "--kind", "FIRE", "--reason", "evening shift", "--severity", "critical")

    made = vigie(*arguments, "--coordination", service).out
    listed = vigie("events", "list", "--drills", "only", "--coordination", service).out
    shown = vigie("events", "get", made.partition(":")[0], "--coordination", service).out

    assert made.endswith(": DRILL: evening shift\n")
    for text in (listed, shown):
        assert "DRILL FIRE" in text
        assert "DRILL: evening shift" in text
    assert vigie("events", "list", "--drills", "without", "--kind", "FIRE", "--coordination", service).out == "No such events.\n"


def test_drill_at_an_unknown_camera_is_not_found(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    arguments = ("events", "drill", "arena/roof", "--kind", "FIRE", "--reason", "evening shift")

    assert vigie(*arguments, "--coordination", service).code == ExitCode.NOT_FOUND


def test_watch_goes_on_over_a_restart_of_the_service(tmp_path: Path, venue_path: Path) -> None:
    first, second = ExitStack(), ExitStack()
    address = first.enter_context(serving(tmp_path))
    apply_venue(load_venue(venue_path), address, author="test")

    def restart(attempts: int, _failure: object) -> None:
        if attempts == 1:
            second.enter_context(serving(tmp_path, address))
            raise_signal(address)

    with first, second, grpc.insecure_channel(address) as channel:
        cursor = Stub(channel).ListEvents(event_service_pb2.ListEventsRequest(parent=ANY_VENUE), timeout=10).cursor
        watch = changes(Stub(channel), event_service_pb2.WatchEventsRequest(parent=ANY_VENUE, cursor=cursor), pause=restart)
        raise_signal(address)
        before = next(watch)
        first.close()
        after = next(watch)

    assert before.event.name == after.event.name
    assert (before.event.signal_count, after.event.signal_count) == (1, 2)
