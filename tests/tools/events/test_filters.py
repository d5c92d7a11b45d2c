from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from tools.errors import ExitCode
from tools.events.filters import event_filter
from tools.main import app
from vigie.v1 import events_pb2, vocabulary_pb2
from vigie.vocabulary import Kind


def test_filter_is_the_contracts() -> None:
    since = datetime(2026, 11, 28, 14, tzinfo=UTC)
    message = event_filter([Kind.FIRE], ["new", "dismissed"], since)

    assert list(message.kinds) == [vocabulary_pb2.KIND_FIRE]
    assert list(message.states) == [events_pb2.EVENT_STATE_NEW, events_pb2.EVENT_STATE_DISMISSED]
    assert message.start_time.ToDatetime(UTC) == since


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--kind", "FACE", "is none of the eight kinds"),
        ("--state", "open", "is no state"),
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
