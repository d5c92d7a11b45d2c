"""What can go wrong in the coordination service.

    CoordinationError
    ├── ConfigurationError       a setting says something that cannot be done; the service does not start
    ├── UnauthenticatedError     a caller does not prove who it is
    ├── AccessDeniedError        a caller may not do this here
    ├── InvalidRequestError      fields of a request are missing or out of their bounds
    ├── NotFoundError            what a request names does not exist
    ├── EventChangedError        the event that was judged has changed since
    ├── ReviewRefusedError       the decision is not possible in the event's state
    ├── RequestReusedError       a request id came back with another request
    ├── ConflictError            what is on record does not allow it
    ├── CursorError              a cursor is too old or not of this record
    ├── EvidenceDamagedError     a picture is not what was recorded
    ├── OverloadedError          a caller asks for more, or reads more slowly, than it may
    └── UnavailableError         the record cannot be reached, or the service is stopping

`rpc/status.py` maps each to a gRPC status. Messages say what is wrong, where, and what to do, and never hold credentials.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a message.

    Attributes:
        field: path of the field, such as `cameras[0].zones[1].polygon.points[2]`.
        description: what is wrong with it and what it should be.
    """

    field: str
    description: str


class CoordinationError(Exception):
    """Anything that the coordination service raises on purpose."""

    reason: ClassVar[str] = "COORDINATION_FAILED"

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = metadata


class ConfigurationError(CoordinationError):
    """A setting says something that cannot be done."""

    reason = "MISCONFIGURED"


class UnauthenticatedError(CoordinationError):
    """A caller does not prove who it is."""

    reason = "UNAUTHENTICATED"


class AccessDeniedError(CoordinationError):
    """A caller may not do this here."""

    reason = "ACCESS_DENIED"


class InvalidRequestError(CoordinationError):
    """Fields of a request are missing or out of their bounds."""

    reason = "INVALID_REQUEST"

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        super().__init__(f"{first.field}: {first.description}{more}")
        self.violations = tuple(violations)


class NotFoundError(CoordinationError):
    """What a request names does not exist."""

    reason = "NOT_FOUND"


class EventChangedError(CoordinationError):
    """The event that was judged has changed since."""

    reason = "EVENT_CHANGED"


class ReviewRefusedError(CoordinationError):
    """The decision is not possible in the event's state."""

    reason = "REVIEW_REFUSED"


class RequestReusedError(CoordinationError):
    """A request id came back with another request."""

    reason = "REQUEST_ID_REUSED"


class ConflictError(CoordinationError):
    """What is on record does not allow it: an act that differs, a suspension that is lifted, a destination that is gone."""

    reason = "CONFLICT"


class CursorError(CoordinationError):
    """A cursor is too old or not of this record."""

    reason = "CURSOR_OUT_OF_RANGE"


class EvidenceDamagedError(CoordinationError):
    """A picture is not what was recorded under its hash, or cannot be told to be."""

    reason = "EVIDENCE_DAMAGED"


class OverloadedError(CoordinationError):
    """A caller asks for more, or reads more slowly, than it may."""

    reason = "OVERLOADED"


class UnavailableError(CoordinationError):
    """The record cannot be reached, or the service is stopping. The same request may be sent again."""

    reason = "UNAVAILABLE"
