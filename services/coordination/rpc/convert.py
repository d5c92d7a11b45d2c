"""Between the messages of the contract and the values of the domain."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from services.coordination.domain.events import Event, EventCount, Review
from services.coordination.domain.signals import Box, Evidence, Signal, SignalRevision
from vigie.limits import KNOWN_LIMITS
from vigie.names import camera_name, event_name, parse_camera
from vigie.v1 import event_service_pb2, events_pb2, signals_pb2, venues_pb2, vocabulary_pb2
from vigie.vocabulary import Kind, Severity


def moment(value: Timestamp) -> datetime:
    """A time with microseconds, in UTC."""
    return value.ToDatetime(tzinfo=UTC)


def timestamp(value: datetime) -> Timestamp:
    """A time as a message."""
    message = Timestamp()
    message.FromDatetime(value)
    return message


def signal_revision(message: signals_pb2.Signal) -> SignalRevision:
    """A well-formed message as a value."""
    venue, camera = parse_camera(message.camera)
    box, point, picture = message.box, message.ground_point, message.evidence
    return SignalRevision(
        signal_id=UUID(message.signal_id),
        revision=message.revision,
        venue=venue,
        camera=camera,
        incarnation=message.incarnation,
        sequence=message.sequence,
        kind=Kind(message.kind),
        zone=message.zone,
        severity=Severity(message.severity),
        score=message.score,
        reason=message.reason,
        open_time=moment(message.open_time),
        update_time=moment(message.update_time),
        close_time=moment(message.close_time) if message.HasField("close_time") else None,
        raise_time=moment(message.raise_time),
        box=Box(box.x0, box.y0, box.x1, box.y1) if message.HasField("box") else None,
        ground_point=(point.x_m, point.y_m) if message.HasField("ground_point") else None,
        evidence=Evidence(picture.sha256, len(picture.jpeg)) if message.HasField("evidence") else None,
    )


def event_message(
    event: Event, signals: Iterable[tuple[Signal, SignalRevision]] = (), reviews: Iterable[Review] = ()
) -> events_pb2.Event:
    """An event as a message, with its signals and reviews if they are given."""
    return events_pb2.Event(
        name=event_name(event.venue, str(event.event_id)),
        kind=vocabulary_pb2.Kind.ValueType(event.kind),
        state=events_pb2.EventState.ValueType(event.state),
        severity=vocabulary_pb2.Severity.ValueType(event.severity),
        score=event.score,
        reason=event.full_reason,
        cameras=[camera_name(event.venue, camera) for camera in event.cameras],
        zones=event.zones,
        open_time=timestamp(event.open_time),
        close_time=timestamp(event.close_time) if event.close_time else None,
        raise_time=timestamp(event.raise_time),
        record_time=timestamp(event.record_time),
        update_time=timestamp(event.update_time),
        signal_count=event.signal_count,
        signals=[_signal_message(signal, newest) for signal, newest in signals],
        reviews=[_review_message(review) for review in reviews],
        etag=event.etag,
        known_limits=KNOWN_LIMITS[event.kind],
        priority=events_pb2.Priority.ValueType(event.priority),
        drill=event.drill,
        dismissal_reason=events_pb2.DismissalReason.ValueType(event.dismissal_reason or 0),
        reopen_count=event.reopen_count,
        reopen_time=timestamp(event.reopen_time) if event.reopen_time else None,
        folded_signal_count=event.folded_signal_count,
        merged_into=event_name(event.venue, str(event.merged_into)) if event.merged_into else "",
    )


def count_message(count: EventCount) -> event_service_pb2.EventCount:
    """How many events have a kind, a state and a priority, as a message."""
    return event_service_pb2.EventCount(
        kind=vocabulary_pb2.Kind.ValueType(count.kind),
        state=events_pb2.EventState.ValueType(count.state),
        priority=events_pb2.Priority.ValueType(count.priority),
        events=count.events,
    )


def _signal_message(signal: Signal, newest: SignalRevision) -> signals_pb2.Signal:
    box, point, picture = newest.box, newest.ground_point or signal.ground_point, newest.evidence
    orphaned = " (closed by the service: the camera got another owner)" if signal.orphaned else ""
    return signals_pb2.Signal(
        signal_id=str(signal.signal_id),
        revision=newest.revision,
        camera=camera_name(signal.venue, signal.camera),
        incarnation=newest.incarnation,
        sequence=newest.sequence,
        kind=vocabulary_pb2.Kind.ValueType(signal.kind),
        zone=signal.zone,
        severity=vocabulary_pb2.Severity.ValueType(newest.severity),
        score=newest.score,
        reason=newest.reason + orphaned,
        open_time=timestamp(signal.open_time),
        update_time=timestamp(newest.update_time),
        close_time=timestamp(signal.close_time) if signal.close_time else None,
        raise_time=timestamp(newest.raise_time),
        box=signals_pb2.Box(x0=box.x0, y0=box.y0, x1=box.x1, y1=box.y1) if box else None,
        ground_point=venues_pb2.GroundPoint(x_m=point[0], y_m=point[1]) if point else None,
        evidence=signals_pb2.Evidence(sha256=picture.sha256, size_bytes=picture.size_bytes) if picture else None,
        drill=signal.drill,
    )


def _review_message(review: Review) -> events_pb2.Review:
    return events_pb2.Review(
        decision=events_pb2.Decision.ValueType(review.decision),
        reviewer=review.reviewer,
        comment=review.comment,
        review_time=timestamp(review.review_time),
        dismissal_reason=events_pb2.DismissalReason.ValueType(review.dismissal_reason or 0),
    )
