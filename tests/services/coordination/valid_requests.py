"""What would be right to ask of each call of a service."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from tests.services.coordination.builders import (
    CROWD_DENSITY,
    ZONE_INTRUSION,
    ago,
    authorization,
    milliseconds,
    picture,
    signal,
    timestamp,
    utc_now,
    venue,
)
from vigie.v1 import (
    assignment_service_pb2,
    audit_service_pb2,
    authorization_service_pb2,
    authorizations_pb2,
    camera_service_pb2,
    cameras_pb2,
    event_service_pb2,
    events_pb2,
    integration_service_pb2,
    report_service_pb2,
    retention_service_pb2,
    signal_service_pb2,
    signals_pb2,
    venue_service_pb2,
    vocabulary_pb2,
)

Ask = Callable[[str, Message], Any]
"""Makes the call of a name with a request, and gives the first answer."""

ARENA, GATE, STAND = "venues/arena", "venues/arena/cameras/gate", "venues/arena/cameras/stand"


def set_up(ask: Ask) -> dict[str, list[Message]]:
    """Puts venues, acts, an event with a picture, and a destination on record; requests about these, by the names of calls."""
    act, other_act = an_act(), an_act()
    asked: dict[str, list[Message]] = {
        "ApplyVenue": [
            venue_service_pb2.ApplyVenueRequest(venue=venue(each, acts=False), author="Ada") for each in ("bowl", "arena")
        ],
        "RecordAuthorization": [
            authorization_service_pb2.RecordAuthorizationRequest(authorization=each) for each in (act, other_act)
        ],
        "ReportSignals": [signal_service_pb2.ReportSignalsRequest(batch_id=1, signals=some_signals())],
        "CreateDestination": [integration_service_pb2.CreateDestinationRequest(destination=each) for each in (webhook(), mqtt())],
    }
    for name, messages in asked.items():
        for message in messages:
            ask(name, message)
    listing = ask("ListEvents", event_service_pb2.ListEventsRequest(parent=ARENA, page_size=1))
    event = ask("GetEvent", event_service_pb2.GetEventRequest(name=listing.events[0].name)).event
    return asked | about_events(event, listing) | about_acts(ask, act.name, other_act.name) | about_destinations(event) | others()


def an_act() -> authorizations_pb2.Authorization:
    """An act in force that is not on record."""
    act = authorization([GATE, STAND])
    act.name = f"{ARENA}/authorizations/act-{uuid4()}"
    return act


def some_signals() -> list[signals_pb2.Signal]:
    """One that opened, with a picture, and one that is over."""
    found = [signal(jpeg=picture()), signal(opened=ago(minutes=2), closed=ago(minutes=1), camera_id="stand")]
    for each in found:
        each.incarnation = milliseconds(utc_now())
        each.ground_point.x_m = 3.5
    return found


def webhook() -> integration_service_pb2.Destination:
    """A destination where nobody listens."""
    return integration_service_pb2.Destination(
        name=f"{ARENA}/destinations/webhook",
        webhook=integration_service_pb2.Webhook(url="http://127.0.0.1:9/hook", secret="HOOK"),
        format=integration_service_pb2.FORMAT_CLOUD_EVENTS,
        states=[events_pb2.EVENT_STATE_CONFIRMED],
        kinds=[ZONE_INTRUSION],
    )


def mqtt() -> integration_service_pb2.Destination:
    """Another."""
    return integration_service_pb2.Destination(
        name=f"{ARENA}/destinations/mqtt",
        mqtt=integration_service_pb2.MqttTopic(url="mqtt://127.0.0.1:9", topic="vigie/arena"),
        format=integration_service_pb2.FORMAT_CAP,
        drills=True,
    )


def about_events(event: events_pb2.Event, listing: event_service_pb2.ListEventsResponse) -> dict[str, list[Message]]:
    """Lists, watches and judges events."""
    wanted = event_service_pb2.EventFilter(
        kinds=[ZONE_INTRUSION],
        states=[events_pb2.EVENT_STATE_NEW],
        start_time=timestamp(ago(days=2)),
        end_time=timestamp(ago(days=-1)),
        priorities=[events_pb2.PRIORITY_NORMAL],
        cameras=[GATE],
        zones=["pitch"],
        drills=event_service_pb2.DRILL_FILTER_WITHOUT,
    )
    evidence = next((each.evidence.sha256 for each in event.signals if each.evidence.sha256), "0" * 64)
    confirm, dismiss, light = events_pb2.DECISION_CONFIRM, events_pb2.DECISION_DISMISS, events_pb2.DISMISSAL_REASON_LIGHT
    return {
        "ListEvents": [
            event_service_pb2.ListEventsRequest(parent=ARENA, filter=wanted, page_size=2),
            event_service_pb2.ListEventsRequest(parent=ARENA, page_size=1, page_token=listing.next_page_token),
        ],
        "GetEvent": [event_service_pb2.GetEventRequest(name=event.name)],
        "WatchEvents": [event_service_pb2.WatchEventsRequest(parent="venues/-", filter=wanted, cursor=listing.cursor)],
        "ReviewEvent": [
            event_service_pb2.ReviewEventRequest(
                name=event.name, reviewer="Ada", decision=dismiss, dismissal_reason=light, request_id=str(uuid4())
            ),
            event_service_pb2.ReviewEventRequest(
                name=event.name, reviewer="Bo", decision=confirm, comment="no lamp", etag=event.etag
            ),
        ],
        "GetEvidence": [event_service_pb2.GetEvidenceRequest(event=event.name, sha256=evidence)],
        "CountEvents": [event_service_pb2.CountEventsRequest(parent=ARENA, filter=wanted)],
        "InsertDrill": [
            event_service_pb2.InsertDrillRequest(
                camera=GATE,
                kind=CROWD_DENSITY,
                severity=vocabulary_pb2.SEVERITY_WARNING,
                zone="pitch",
                reason="an exercise",
                request_id=str(uuid4()),
            )
        ],
    }


def about_acts(ask: Ask, act: str, other_act: str) -> dict[str, list[Message]]:
    """Reads, suspends and revokes acts."""
    suspend = authorization_service_pb2.SuspendAuthorizationRequest(
        name=act, cameras=[STAND], kinds=[CROWD_DENSITY], reason="a complaint", request_id=str(uuid4())
    )
    (suspension,) = ask("SuspendAuthorization", suspend).authorization.suspensions
    return {
        "GetAuthorization": [authorization_service_pb2.GetAuthorizationRequest(name=act)],
        "ListAuthorizations": [
            authorization_service_pb2.ListAuthorizationsRequest(
                parent=ARENA, states=[authorizations_pb2.AUTHORIZATION_STATE_IN_FORCE], page_size=3
            )
        ],
        "SuspendAuthorization": [suspend],
        "LiftSuspension": [
            authorization_service_pb2.LiftSuspensionRequest(name=act, suspension_id=suspension.id, reason="it was settled")
        ],
        "RevokeAuthorization": [authorization_service_pb2.RevokeAuthorizationRequest(name=other_act, reason="the derby is off")],
    }


def about_destinations(event: events_pb2.Event) -> dict[str, list[Message]]:
    """Forwards events, and reads what became of them."""
    destination = f"{ARENA}/destinations/webhook"
    return {
        "ListDestinations": [integration_service_pb2.ListDestinationsRequest(parent=ARENA, page_size=1)],
        "ForwardEvent": [
            integration_service_pb2.ForwardEventRequest(event=event.name, destination=destination, request_id=str(uuid4()))
        ],
        "ListDeliveries": [
            integration_service_pb2.ListDeliveriesRequest(
                parent="venues/-", states=[integration_service_pb2.DELIVERY_STATE_WAITING], page_size=2
            )
        ],
        "RetryDelivery": [integration_service_pb2.RetryDeliveryRequest(name=f"{destination}/deliveries/{uuid4()}")],
        "DeleteDestination": [integration_service_pb2.DeleteDestinationRequest(name=f"{ARENA}/destinations/mqtt")],
    }


def others() -> dict[str, list[Message]]:
    """Venues, cameras, reports and registers."""
    now = timestamp(utc_now())
    health = cameras_pb2.CameraHealth(
        camera=GATE,
        incarnation=milliseconds(utc_now()),
        state=cameras_pb2.CAMERA_STATE_LIVE,
        state_time=now,
        last_frame_time=now,
        report_time=now,
        received_rate_hz=25.0,
        analysed_rate_hz=4.0,
        dropped_frames={"late": 3},
        owner="group-1",
        host="10.0.0.5",
        faults=[cameras_pb2.StreamFault(kind=cameras_pb2.STREAM_FAULT_KIND_BLURRED, detail="out of focus", since_time=now)],
        concerns=[cameras_pb2.Concern(kind=CROWD_DENSITY, problem="the ground plane is rough")],
    )
    return {
        "GetVenue": [venue_service_pb2.GetVenueRequest(name=ARENA)],
        "ListVenues": [venue_service_pb2.ListVenuesRequest(page_size=1)],
        "GetOverview": [venue_service_pb2.GetOverviewRequest(parent=ARENA)],
        "ReportCameraHealth": [camera_service_pb2.ReportCameraHealthRequest(cameras=[health])],
        "ListCameras": [camera_service_pb2.ListCamerasRequest(parent=ARENA, page_size=1, states=[cameras_pb2.CAMERA_STATE_LIVE])],
        "ListHealthEvents": [
            camera_service_pb2.ListHealthEventsRequest(
                parent=ARENA, page_size=1, open_only=True, start_time=timestamp(ago(days=1))
            )
        ],
        "WatchAssignments": [assignment_service_pb2.WatchAssignmentsRequest(cluster="cluster-1", venues=[ARENA])],
        "GetReport": [report_service_pb2.GetReportRequest(parent=ARENA, start_time=timestamp(ago(days=7)), end_time=now)],
        "ListAuditEntries": [
            audit_service_pb2.ListAuditEntriesRequest(
                after_number=1, page_size=5, action="GetEvent", resource_prefix=ARENA, start_time=timestamp(ago(days=1))
            )
        ],
        "EraseAuditEntries": [
            audit_service_pb2.EraseAuditEntriesRequest(before_time=timestamp(ago(days=400)), validate_only=True)
        ],
        "EraseExpiredEvidence": [retention_service_pb2.EraseExpiredEvidenceRequest(validate_only=True)],
    }
