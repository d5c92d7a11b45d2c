"""What goes out, in either format."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from services.coordination.domain.bulletins import Bulletin, Format, Reference
from services.coordination.domain.lifecycle import EventState
from services.coordination.integrations.documents import document
from vigie.vocabulary import Kind

OPENED = datetime(2026, 7, 14, 20, 0, 0, 250_000, tzinfo=UTC)
FIRST = UUID(int=1)
BULLETIN = Bulletin(
    bulletin_id=FIRST,
    event="venues/arena/events/0198",
    kind=Kind.FIRE,
    state=EventState.CONFIRMED,
    venue="arena",
    place="Arena <Nord>",
    cameras=("Gate 1",),
    zones=("pitch",),
    open_time=OPENED,
    close_time=None,
    time=OPENED + timedelta(seconds=40),
    time_zone=ZoneInfo("Europe/Paris"),
    drill=False,
    earlier=(),
)
CAP = {"cap": "urn:oasis:names:tc:emergency:cap:1.2"}


def cap(bulletin: Bulletin) -> ET.Element:
    return ET.fromstring(document(bulletin, Format.CAP))


def text(alert: ET.Element, path: str) -> str | None:
    return alert.findtext("/".join(f"cap:{name}" for name in path.split("/")), namespaces=CAP)


def test_a_cloud_event_says_kind_place_time_and_state_and_nothing_else() -> None:
    event = json.loads(document(BULLETIN, Format.CLOUD_EVENTS))
    assert event == {
        "specversion": "1.0",
        "id": str(FIRST),
        "source": "/venues/arena",
        "type": "vigie.event.confirmed",
        "subject": "venues/arena/events/0198",
        "time": "2026-07-14T20:00:40.250000Z",
        "datacontenttype": "application/json",
        "data": {
            "kind": "FIRE",
            "state": "CONFIRMED",
            "venue": "arena",
            "place": "Arena <Nord>",
            "cameras": ["Gate 1"],
            "zones": ["pitch"],
            "openTime": "2026-07-14T20:00:00.250000Z",
            "closeTime": None,
            "drill": False,
        },
    }


def test_an_alert_has_what_cap_requires_and_times_of_the_venue() -> None:
    alert = cap(BULLETIN)
    found = {
        path: text(alert, path)
        for path in (
            "identifier",
            "sender",
            "sent",
            "status",
            "msgType",
            "scope",
            "info/category",
            "info/event",
            "info/urgency",
            "info/severity",
            "info/certainty",
            "info/onset",
            "info/area/areaDesc",
        )
    }
    assert found == {
        "identifier": str(FIRST),
        "sender": "vigie.arena",
        "sent": "2026-07-14T22:00:40+02:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Restricted",
        "info/category": "Fire",
        "info/event": "Fire",
        "info/urgency": "Unknown",
        "info/severity": "Unknown",
        "info/certainty": "Observed",
        "info/onset": "2026-07-14T22:00:00+02:00",
        "info/area/areaDesc": "Arena <Nord>, Gate 1, zone pitch",
    }


def test_elements_of_an_alert_stand_in_the_order_of_the_schema() -> None:
    told = (Reference(FIRST, OPENED),)
    names = [element.tag.rpartition("}")[2] for element in cap(replace(BULLETIN, earlier=told))]
    order = ["identifier", "sender", "sent", "status", "msgType", "scope", "restriction", "references", "incidents", "info"]
    assert names == order


def test_a_time_in_utc_is_written_as_cap_wants_it() -> None:
    assert text(cap(replace(BULLETIN, time_zone=ZoneInfo("UTC"))), "sent") == "2026-07-14T20:00:40-00:00"


def test_a_drill_is_an_exercise() -> None:
    assert text(cap(replace(BULLETIN, drill=True)), "status") == "Exercise"


@pytest.mark.parametrize(
    ("state", "message"), [(EventState.ESCALATED, "Update"), (EventState.CLOSED, "Update"), (EventState.DISMISSED, "Cancel")]
)
def test_what_comes_later_refers_to_what_was_said_before(state: EventState, message: str) -> None:
    told = (Reference(FIRST, OPENED), Reference(UUID(int=2), OPENED + timedelta(seconds=9)))
    alert = cap(replace(BULLETIN, bulletin_id=UUID(int=3), state=state, earlier=told))
    assert text(alert, "msgType") == message
    assert text(alert, "references") == (
        f"vigie.arena,{FIRST},2026-07-14T22:00:00+02:00 vigie.arena,{UUID(int=2)},2026-07-14T22:00:09+02:00"
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_category(kind: Kind) -> None:
    assert text(cap(replace(BULLETIN, kind=kind)), "info/category") in {"Security", "Safety", "Rescue", "Fire"}
