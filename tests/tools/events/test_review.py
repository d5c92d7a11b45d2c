"""People judge events from the command line, against a real service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools.conftest import Outcome, raise_signal, serving
from tools.apply import apply_venue
from tools.caller import user_name
from tools.errors import ExitCode
from tools.venue_file import load_venue

Vigie = Callable[..., Outcome]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[str]:
    """Address of a service of the test's own: what one test decides, another would have to live with."""
    with serving(tmp_path) as address:
        yield address


@pytest.fixture
def event(vigie: Vigie, service: str, venue_path: Path) -> dict[str, Any]:
    """An intrusion at the gate, the only event on record."""
    apply_venue(load_venue(venue_path), service, author="test")
    raise_signal(service)
    found: dict[str, Any] = json.loads(vigie("events", "list", "--json", "--coordination", service).out)
    return found


def test_review_is_recorded_with_its_person(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    decision = ("dismiss", "--reason", "camera-fault", "--comment", "a gardener", "--as", "Camille Roux")

    outcome = vigie("events", "review", event["name"], *decision, "--coordination", service)

    shown = vigie("events", "get", event["name"], "--coordination", service).out
    assert outcome.out == f"{event['name']}: dismissed\n"
    assert "Camille Roux" in shown
    assert "a gardener" in shown
    assert "dismiss (camera-fault)" in shown


def test_review_leads_an_event_to_its_end(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    for decision, state in (
        ("acknowledge", "acknowledged"),
        ("confirm", "confirmed"),
        ("escalate", "escalated"),
        ("close", "closed"),
    ):
        outcome = vigie("events", "review", event["name"], decision, "--as", "Camille", "--coordination", service)
        assert outcome.out == f"{event['name']}: {state}\n"


def test_review_of_an_event_that_has_changed_is_a_conflict(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    judged = ("events", "review", event["name"])
    seen = ("--etag", event["etag"], "--coordination", service)

    assert vigie(*judged, "acknowledge", *seen, "--as", "Camille").code == ExitCode.OK
    late = vigie(*judged, "confirm", *seen, "--as", "Noor")
    assert late.code == ExitCode.CONFLICT
    assert "Camille decided ACKNOWLEDGE" in late.err


def test_review_without_a_name_is_by_the_user_of_the_machine(vigie: Vigie, service: str, event: dict[str, Any]) -> None:
    vigie("events", "review", event["name"], "acknowledge", "--coordination", service)

    shown = json.loads(vigie("events", "get", event["name"], "--json", "--coordination", service).out)
    assert [review["reviewer"] for review in shown["reviews"]] == [user_name()]


@pytest.mark.parametrize(
    "decision",
    [(), ("confirm", "dismiss"), ("open",), ("dismiss",), ("confirm", "--reason", "light"), ("dismiss", "--reason", "boredom")],
)
def test_review_is_exactly_one_decision_and_a_dismissal_has_a_reason(vigie: Vigie, decision: tuple[str, ...]) -> None:
    outcome = vigie("events", "review", "venues/a/events/b", "--as", "Camille", *decision)

    assert outcome.code == ExitCode.USAGE
