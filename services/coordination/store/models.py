"""The tables of the record. Every constraint is named; no column says anything about a person who was filmed."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    Uuid,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

EIGHT_KINDS = "kind BETWEEN 1 AND 8"
THREE_SEVERITIES = "severity BETWEEN 1 AND 3"
_WITH_EVIDENCE: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), text("evidence IS NOT NULL"))
_LASTING: dict[str, Any] = dict.fromkeys(("sqlite_where", "postgresql_where"), text("end_time IS NULL"))
_NOT_FOLDED: dict[str, Any] = {"sqlite_where": text("folded = 0"), "postgresql_where": text("NOT folded")}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC with microseconds on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turns it into UTC; SQLite keeps no zone."""
        if value is None:
            return None
        return value.astimezone(UTC).replace(tzinfo=None if dialect.name == "sqlite" else UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Gives it back as UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """What all tables share."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: UtcDateTime, int: BigInteger}  # noqa: RUF012 - SQLAlchemy's own protocol


class HeadRow(Base):
    """A counter that one transaction at a time moves: whoever moved it commits before the next sees it."""

    __tablename__ = "heads"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[int]


class VenueRow(Base):
    """A venue. Its row is locked by whoever changes anything of the venue."""

    __tablename__ = "venues"

    venue_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    display_name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    # Of all changes of venues, the one that last changed this venue.
    revision: Mapped[int]
    update_time: Mapped[datetime]
    # Canonical JSON of a `vigie.v1.Venue` with nothing but `aggregation`.
    settings: Mapped[str] = mapped_column(Text, server_default="{}")


class CameraRow(Base):
    """A camera, with its whole specification as canonical JSON of `vigie.v1.Camera`. A withdrawn one stays for what it raised."""

    __tablename__ = "cameras"

    venue_id: Mapped[str] = mapped_column(String(63), ForeignKey("venues.venue_id"), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    display_name: Mapped[str] = mapped_column(Text)
    recording: Mapped[bool]
    spec: Mapped[str] = mapped_column(Text)
    withdrawn_time: Mapped[datetime | None]


class AuthorizationRow(Base):
    """An act. It never changes; `withdrawn_time` is when it was revoked.

    Before acts were a register, a changed act was withdrawn and written anew: hence the id of the wording.
    """

    __tablename__ = "authorizations"
    __table_args__ = (
        # A bit for each of the eight kinds: bit 0 stands for kind 1.
        CheckConstraint("kinds BETWEEN 1 AND 255", name="eight_kinds"),
        CheckConstraint("start_time < end_time", name="period"),
        Index(
            "uq_authorizations_current",
            "venue_id",
            "authorization_id",
            unique=True,
            sqlite_where=text("withdrawn_time IS NULL"),
            postgresql_where=text("withdrawn_time IS NULL"),
        ),
        Index("ix_authorizations_venue_id_end_time", "venue_id", "end_time"),
    )

    wording_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    venue_id: Mapped[str] = mapped_column(String(63), ForeignKey("venues.venue_id"))
    authorization_id: Mapped[str] = mapped_column(String(63))
    position: Mapped[int] = mapped_column(Integer)
    start_time: Mapped[datetime]
    end_time: Mapped[datetime]
    kinds: Mapped[int] = mapped_column(SmallInteger)
    cameras: Mapped[list[str]] = mapped_column(JSON)
    spec: Mapped[str] = mapped_column(Text)
    record_time: Mapped[datetime]
    withdrawn_time: Mapped[datetime | None]
    recorder: Mapped[str] = mapped_column(Text, server_default="")
    revoke_reason: Mapped[str] = mapped_column(Text, server_default="")
    revoke_author: Mapped[str] = mapped_column(Text, server_default="")


class SuspensionRow(Base):
    """A suspension of an act, or of a part of it."""

    __tablename__ = "suspensions"
    __table_args__ = (
        # As in `authorizations`, but no bit at all stands for all kinds.
        CheckConstraint("kinds BETWEEN 0 AND 255", name="eight_kinds"),
        Index("ix_suspensions_venue_id_authorization_id", "venue_id", "authorization_id"),
    )

    suspension_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    venue_id: Mapped[str] = mapped_column(String(63), ForeignKey("venues.venue_id"))
    authorization_id: Mapped[str] = mapped_column(String(63))
    # Empty means all.
    cameras: Mapped[list[str]] = mapped_column(JSON)
    kinds: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    start_time: Mapped[datetime]
    lift_time: Mapped[datetime | None]
    lift_reason: Mapped[str] = mapped_column(Text, server_default="")
    lift_author: Mapped[str] = mapped_column(Text, server_default="")


class IncarnationRow(Base):
    """An ownership of a camera that was heard of."""

    __tablename__ = "incarnations"
    __table_args__ = (ForeignKeyConstraint(["venue_id", "camera_id"], ["cameras.venue_id", "cameras.camera_id"]),)

    venue_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    incarnation: Mapped[int] = mapped_column(primary_key=True)


class CameraHealthRow(Base):
    """What the newest owner of a camera last said of it, as canonical JSON of `vigie.v1.CameraHealth`."""

    __tablename__ = "camera_health"
    __table_args__ = (ForeignKeyConstraint(["venue_id", "camera_id"], ["cameras.venue_id", "cameras.camera_id"]),)

    venue_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    incarnation: Mapped[int]
    state: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    health: Mapped[str] = mapped_column(Text)
    receive_time: Mapped[datetime]
    host: Mapped[str] = mapped_column(Text, server_default="")
    # Since when it should give frames and gives none.
    down_since: Mapped[datetime | None]


class HealthEventRow(Base):
    """Something that is or was wrong with a camera, or with a host of cameras. It is about equipment."""

    __tablename__ = "health_events"
    __table_args__ = (
        CheckConstraint("kind BETWEEN 1 AND 4", name="kinds"),
        CheckConstraint("fault BETWEEN 0 AND 7", name="faults"),
        Index("ix_health_events_begin_time_event_id", "begin_time", "event_id"),
        Index("ix_health_events_venue_id_begin_time_event_id", "venue_id", "begin_time", "event_id"),
        # What lasts is on record once, whoever tells of it.
        Index("uq_health_events_lasting", "venue_id", "kind", "camera_id", "host", "fault", unique=True, **_LASTING),
    )

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    venue_id: Mapped[str] = mapped_column(String(63), ForeignKey("venues.venue_id"))
    kind: Mapped[int] = mapped_column(SmallInteger)
    # Empty where a site is down.
    camera_id: Mapped[str] = mapped_column(String(63))
    host: Mapped[str] = mapped_column(Text)
    fault: Mapped[int] = mapped_column(SmallInteger)
    detail: Mapped[str] = mapped_column(Text)
    camera_count: Mapped[int] = mapped_column(Integer)
    begin_time: Mapped[datetime]
    end_time: Mapped[datetime | None]


class EventRow(Base):
    """An event as it stands."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(EIGHT_KINDS, name="eight_kinds"),
        CheckConstraint(THREE_SEVERITIES, name="three_severities"),
        CheckConstraint("state BETWEEN 1 AND 7", name="states"),
        CheckConstraint("priority BETWEEN 1 AND 4", name="priorities"),
        CheckConstraint("dismissal_reason BETWEEN 1 AND 9", name="dismissal_reasons"),
        Index("ix_events_open_time_event_id", "open_time", "event_id"),
        Index("ix_events_venue_id_open_time_event_id", "venue_id", "open_time", "event_id"),
        Index("ix_events_state_priority_open_time_event_id", "state", "priority", "open_time", "event_id"),
        Index("ix_events_venue_id_state_priority_open_time_event_id", "venue_id", "state", "priority", "open_time", "event_id"),
        Index("ix_events_kind_open_time_event_id", "kind", "open_time", "event_id"),
    )

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    venue_id: Mapped[str] = mapped_column(String(63), ForeignKey("venues.venue_id"))
    kind: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[int] = mapped_column(SmallInteger)
    severity: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    cameras: Mapped[list[str]] = mapped_column(JSON)
    zones: Mapped[list[str]] = mapped_column(JSON)
    open_time: Mapped[datetime]
    last_close_time: Mapped[datetime | None]
    raise_time: Mapped[datetime]
    record_time: Mapped[datetime]
    update_time: Mapped[datetime]
    signal_count: Mapped[int] = mapped_column(Integer)
    open_signals: Mapped[int] = mapped_column(Integer)
    version: Mapped[int]
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="2")
    drill: Mapped[bool] = mapped_column(server_default=false())
    dismissal_reason: Mapped[int | None] = mapped_column(SmallInteger)
    # When people had done with it: dismissed or closed it. Signals that began later belong to another event.
    end_time: Mapped[datetime | None]
    reopen_count: Mapped[int] = mapped_column(Integer, server_default="0")
    reopen_time: Mapped[datetime | None]
    folded_signal_count: Mapped[int] = mapped_column(Integer, server_default="0")
    merged_into: Mapped[UUID | None] = mapped_column(Uuid)
    # When somebody first acknowledged it, or decided more; and when it was first sent to a watcher.
    acknowledge_time: Mapped[datetime | None]
    watch_time: Mapped[datetime | None]
    # When the last of its signals opened, and the capture time of the revision whose reason it has.
    last_open_time: Mapped[datetime | None]
    reason_time: Mapped[datetime | None]


class EvidenceRow(Base):
    """A picture that stands in the evidence store, or is on its way there or away from there while its row is locked."""

    __tablename__ = "evidence"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size_bytes: Mapped[int] = mapped_column(Integer)
    record_time: Mapped[datetime]


class SignalRow(Base):
    """A signal as its newest revision left it."""

    __tablename__ = "signals"
    __table_args__ = (
        CheckConstraint(EIGHT_KINDS, name="eight_kinds"),
        ForeignKeyConstraint(["venue_id", "camera_id"], ["cameras.venue_id", "cameras.camera_id"]),
        Index("ix_signals_event_id", "event_id"),
        Index("ix_signals_evidence", "evidence", **_WITH_EVIDENCE),
        Index("ix_signals_venue_id_kind_reach_time", "venue_id", "kind", "reach_time", **_NOT_FOLDED),
        Index("ix_signals_venue_id_camera_id_kind_open_time", "venue_id", "camera_id", "kind", "open_time", **_NOT_FOLDED),
        Index("ix_signals_venue_id_camera_id_zone_event_id", "venue_id", "camera_id", "zone", "event_id"),
        Index(
            "ix_signals_open",
            "venue_id",
            "camera_id",
            sqlite_where=text("close_time IS NULL"),
            postgresql_where=text("close_time IS NULL"),
        ),
    )

    signal_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("events.event_id"))
    venue_id: Mapped[str] = mapped_column(String(63))
    camera_id: Mapped[str] = mapped_column(String(63))
    kind: Mapped[int] = mapped_column(SmallInteger)
    zone: Mapped[str] = mapped_column(String(63))
    revision: Mapped[int] = mapped_column(Integer)
    incarnation: Mapped[int]
    open_time: Mapped[datetime]
    update_time: Mapped[datetime]
    close_time: Mapped[datetime | None]
    orphaned: Mapped[bool]
    ground_x_m: Mapped[float | None]
    ground_y_m: Mapped[float | None]
    evidence: Mapped[str | None] = mapped_column(String(64), ForeignKey("evidence.sha256"))
    drill: Mapped[bool] = mapped_column(server_default=false())
    # Its camera raised more than it may in its window of time; and it is beyond the first of them, which stand for it.
    flooded: Mapped[bool] = mapped_column(server_default=false())
    folded: Mapped[bool] = mapped_column(server_default=false())
    # Until when others may be near to it.
    reach_time: Mapped[datetime | None]


class SignalRevisionRow(Base):
    """A revision of a signal as it was raised. Never changed, except that its picture is erased once its time is over."""

    __tablename__ = "signal_revisions"
    __table_args__ = (
        CheckConstraint(THREE_SEVERITIES, name="three_severities"),
        Index("ix_signal_revisions_evidence", "evidence", **_WITH_EVIDENCE),
    )

    signal_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("signals.signal_id"), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True)
    incarnation: Mapped[int]
    sequence: Mapped[int]
    severity: Mapped[int] = mapped_column(SmallInteger)
    score: Mapped[float]
    reason: Mapped[str] = mapped_column(Text)
    update_time: Mapped[datetime]
    close_time: Mapped[datetime | None]
    raise_time: Mapped[datetime]
    record_time: Mapped[datetime]
    box_x0: Mapped[float | None]
    box_y0: Mapped[float | None]
    box_x1: Mapped[float | None]
    box_y1: Mapped[float | None]
    ground_x_m: Mapped[float | None]
    ground_y_m: Mapped[float | None]
    evidence: Mapped[str | None] = mapped_column(String(64), ForeignKey("evidence.sha256"))


class ReviewRow(Base):
    """A person's decision. Never changed."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("decision BETWEEN 1 AND 5", name="decisions"),
        CheckConstraint("dismissal_reason BETWEEN 1 AND 9", name="dismissal_reasons"),
        CheckConstraint("reviewer <> ''", name="reviewer"),
        Index("uq_reviews_request_id", "request_id", unique=True),
    )

    event_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("events.event_id"), primary_key=True)
    # The version of the event that the decision made.
    event_version: Mapped[int] = mapped_column(primary_key=True)
    decision: Mapped[int] = mapped_column(SmallInteger)
    reviewer: Mapped[str] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(Text)
    review_time: Mapped[datetime]
    request_id: Mapped[UUID | None] = mapped_column(Uuid)
    dismissal_reason: Mapped[int | None] = mapped_column(SmallInteger)


class EventChangeRow(Base):
    """A change of an event for watchers: the event as it was after it, as a `vigie.v1.Event`. Old ones are dropped."""

    __tablename__ = "event_changes"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event: Mapped[bytes] = mapped_column(LargeBinary)


class AuditRow(Base):
    """An entry of the audit log. The database itself refuses to change one, or to remove one that is not behind the anchor."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_time", "time"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    time: Mapped[datetime]
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(64))
    resource: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditAnchorRow(Base):
    """An erasure of the oldest entries of the audit log: the last that was erased, whose hash the next one follows."""

    __tablename__ = "audit_anchors"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    erase_time: Mapped[datetime]
    author: Mapped[str] = mapped_column(Text)


class AnalysedTimeRow(Base):
    """For how long a camera was analysed for a kind on a day of its venue's time zone."""

    __tablename__ = "analysed_time"
    __table_args__ = (
        CheckConstraint(EIGHT_KINDS, name="eight_kinds"),
        ForeignKeyConstraint(["venue_id", "camera_id"], ["cameras.venue_id", "cameras.camera_id"]),
    )

    venue_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    seconds: Mapped[float]


class DestinationRow(Base):
    """Where events of a venue are sent, as canonical JSON of `vigie.v1.Destination`."""

    __tablename__ = "destinations"

    venue_id: Mapped[str] = mapped_column(String(63), ForeignKey("venues.venue_id"), primary_key=True)
    destination_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    spec: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    create_time: Mapped[datetime]
    delete_time: Mapped[datetime | None]


class DeliveryRow(Base):
    """An event on its way to a destination."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("state BETWEEN 1 AND 3", name="states"),
        ForeignKeyConstraint(["venue_id", "destination_id"], ["destinations.venue_id", "destinations.destination_id"]),
        Index("ix_deliveries_state_next_attempt_time", "state", "next_attempt_time"),
        Index("ix_deliveries_destination_event", "venue_id", "destination_id", "event_id"),
        Index("ix_deliveries_create_time_delivery_id", "create_time", "delivery_id"),
        Index("uq_deliveries_request_id", "request_id", unique=True),
    )

    delivery_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    venue_id: Mapped[str] = mapped_column(String(63))
    destination_id: Mapped[str] = mapped_column(String(63))
    event_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("events.event_id"))
    event_version: Mapped[int]
    # The state for which the destination is set up; NULL where a person forwarded the event.
    event_state: Mapped[int | None] = mapped_column(SmallInteger)
    # What is sent, as it was when the delivery was made.
    content: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[int] = mapped_column(SmallInteger)
    attempts: Mapped[int] = mapped_column(Integer)
    problem: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    request_id: Mapped[UUID | None] = mapped_column(Uuid)
    create_time: Mapped[datetime]
    next_attempt_time: Mapped[datetime]
    end_time: Mapped[datetime | None]
