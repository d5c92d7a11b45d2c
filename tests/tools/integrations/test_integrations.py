"""`vigie integrations` as an administrator types it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import Outcome, raise_signal

Vigie = Callable[..., Outcome]
HOOK = ("--webhook", "http://127.0.0.1:9/hook", "--secret", "CONTROL")


@pytest.fixture
def call(vigie: Vigie, service: str, venue_path: Path) -> Vigie:
    """Calls `vigie integrations` on a service that has the arena."""
    assert vigie("apply", "-f", str(venue_path), "--coordination", service).code == 0

    def call(*arguments: str) -> Outcome:
        return vigie("integrations", *arguments, "--coordination", service)

    return call


def test_a_destination_is_set_up_listed_and_deleted(call: Vigie) -> None:
    assert (
        call("create", "arena/control-room", *HOOK, "--state", "escalated").out
        == "venues/arena/destinations/control-room: set up\n"
    )
    (line,) = call("list", "--json").out.splitlines()
    assert json.loads(line)["states"] == ["EVENT_STATE_ESCALATED"]
    assert "arena/control-room" in call("list").out
    assert call("delete", "arena/control-room").code == 0
    assert call("list").out == "No destinations.\n"


def test_an_event_is_forwarded_and_what_became_of_it_is_shown(call: Vigie, vigie: Vigie, service: str) -> None:
    call("create", "arena/board", *HOOK)
    raise_signal(service)
    (event,) = map(json.loads, vigie("events", "list", "--json", "--limit", "1", "--coordination", service).out.splitlines())
    assert call("forward", event["name"], "arena/board").out.endswith(": waiting\n")
    (delivery,) = map(json.loads, call("deliveries", "--json").out.splitlines())
    assert delivery["event"] == event["name"]
    refused = call("retry", delivery["name"])
    assert (refused.code, "only what was given up is tried again" in refused.err) == (6, True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("create", "arena/x"), 2, "name either --webhook URL or --mqtt URL"),
        (("create", "arena", *HOOK), 2, "write VENUE/ID"),
        (("create", "arena/x", *HOOK, "--format", "pdf"), 2, "formats are cloudevents, cap"),
        (("create", "arena/x", *HOOK, "--state", "new"), 3, "nobody has judged the event"),
        (("create", "arena/x", "--webhook", "http://control.example", "--secret", "A"), 3, "over the network in clear"),
        (("create", "elsewhere/x", *HOOK), 5, "venues/elsewhere was never applied"),
        (("delete", "arena/nowhere"), 5, "has no destination nowhere"),
        (("retry", "arena/destinations/x/deliveries/1"), 3, "is no name of a delivery"),
    ],
)
def test_what_cannot_be_done_is_said(call: Vigie, arguments: tuple[str, ...], code: int, message: str) -> None:
    outcome = call(*arguments)
    assert outcome.code == code, outcome
    assert message in " ".join(outcome.err.replace("│", " ").split())
