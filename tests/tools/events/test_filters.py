from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from tools.errors import CommandError, ExitCode
from tools.events.filters import Choice, named_camera
from tools.main import app
from vigie.names import ANY_VENUE
from vigie.v1 import event_service_pb2, events_pb2, vocabulary_pb2
from vigie.vocabulary import Kind


def choice(**chosen: Any) -> Choice:
    nothing: dict[str, Any] = {"venue": ANY_VENUE, "kinds": [], "states": [], "priorities": [], "cameras": [], "zones": []}
    return Choice(**(nothing | {"drills": "with"} | chosen))


def test_filter_is_the_contracts() -> None:
    since = datetime(2026, 11, 28, 14, tzinfo=UTC)
    chosen = choice(kinds=[Kind.FIRE], states=["new", "dismissed"], priorities=["urgent"], zones=["pitch"], drills="only")
    message = replace(chosen, cameras=["arena/gate-1"], since=since, until=since + timedelta(hours=1)).filter()

    assert list(message.kinds) == [vocabulary_pb2.KIND_FIRE]
    assert list(message.states) == [events_pb2.EVENT_STATE_NEW, events_pb2.EVENT_STATE_DISMISSED]
    assert list(message.priorities) == [events_pb2.PRIORITY_URGENT]
    assert (list(message.cameras), list(message.zones)) == (["venues/arena/cameras/gate-1"], ["pitch"])
    assert message.drills == event_service_pb2.DRILL_FILTER_ONLY
    assert message.start_time.ToDatetime(UTC) == since
    assert message.end_time.ToDatetime(UTC) == since + timedelta(hours=1)


def test_nothing_chosen_restricts_nothing() -> None:
    assert choice().filter() == event_service_pb2.EventFilter()


@pytest.mark.parametrize("text", ["venues/arena/cameras/gate-1", "arena/gate-1", "gate-1"])
def test_camera_is_named_by_as_much_as_is_needed(text: str) -> None:
    assert named_camera(text, "venues/arena") == "venues/arena/cameras/gate-1"


@pytest.mark.parametrize("text", ["gate-1", "arena/Gate 1", "venues/arena/zones/gate-1", "a/b/c", ""])
def test_camera_that_is_not_named_is_bad_input(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        named_camera(text)
    assert caught.value.code == ExitCode.BAD_INPUT


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--kind", "FACE", "is none of the eight kinds"),
        ("--state", "open", "is no state"),
        ("--priority", "top", "is no priority"),
        ("--zone", "the pitch", "is no zone"),
        ("--drills", "yes", "is no choice"),
        ("--until", "tomorrow", "neither a period"),
        ("--since", "yesterday", "neither a period"),
        ("--since", "2026-11-28T14:00:00", "neither a period"),
        ("--venue", "Parc des Princes", "is no venue"),
        ("--limit", "0", "greater than or equal to 1"),
    ],
)
def test_wrong_filter_is_wrong_usage(option: str, value: str, says: str) -> None:
    result = CliRunner().invoke(app, ["events", "list", option, value])

    assert result.exit_code == ExitCode.USAGE
    assert says in " ".join(result.output.replace("│", " ").split())


def test_period_is_counted_back_from_now() -> None:
    from tools.events.filters import _moment

    assert datetime.now(UTC) - _moment("2h") - timedelta(hours=2) < timedelta(minutes=1)
