"""What a decision makes of an event, and why one is refused: whoever is refused is told who decided what before."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from services.coordination.domain.events import Event, Review
from services.coordination.domain.lifecycle import (
    CORRECTIONS,
    ENDED,
    TRANSITIONS,
    Decision,
    DismissalReason,
    EventState,
    decisions,
)
from services.coordination.errors import CoordinationError, EventChangedError, ReviewRefusedError
from vigie.names import event_name


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person decides on an event.

    Attributes:
        etag: of the event that was judged; empty judges it as it is.
        request_id: the same request twice is one decision.
        dismissal_reason: of a dismissal, and of nothing else.
    """

    venue: str
    event_id: UUID
    decision: Decision
    reviewer: str
    comment: str
    etag: str
    request_id: UUID | None
    dismissal_reason: DismissalReason | None = None


def judged(event: Event, judgement: Judgement, last: Review | None, now: datetime) -> Event:
    """The event once a person has decided on it; `last` is the decision before this one.

    Raises EventChangedError and ReviewRefusedError.
    """
    refusal = _changed(event, judgement, last) or _refused(event, judgement, last) or _unseen(event, judgement, last)
    if refusal is not None:
        raise refusal
    state = TRANSITIONS[event.state, judgement.decision]
    return replace(
        event,
        state=state,
        version=event.version + 1,
        update_time=now,
        acknowledge_time=event.acknowledge_time or now,
        end_time=(event.end_time or now) if state in ENDED else None,
        dismissal_reason=judgement.dismissal_reason if state is EventState.DISMISSED else None,
    )


def _changed(event: Event, judgement: Judgement, last: Review | None) -> CoordinationError | None:
    if not judgement.etag or judgement.etag == event.etag:
        return None
    since = last if last is not None and last.event_version > _version(judgement.etag) else None
    what = f"{_said(since)} since you read it" if since else "signals of it came in since you read it"
    return EventChangedError(f"event {event.event_id}: {what}; read it again, then decide", **_metadata(event, since))


def _refused(event: Event, judgement: Judgement, last: Review | None) -> CoordinationError | None:
    if (event.state, judgement.decision) in TRANSITIONS:
        return None
    if event.merged_into is not None:
        whole = event_name(event.venue, str(event.merged_into))
        problem = f"event {event.event_id} became a part of {whole}; decide on that one"
        return ReviewRefusedError(problem, **_metadata(event, last), merged_into=whole)
    possible = ", ".join(decision.name for decision in decisions(event.state))
    before = f" ({_said(last)})" if last else ""
    problem = f"event {event.event_id} is {event.state.name}{before}: {judgement.decision.name} is not possible, only {possible}"
    return ReviewRefusedError(problem, **_metadata(event, last))


def _unseen(event: Event, judgement: Judgement, last: Review | None) -> CoordinationError | None:
    """Nobody sets a colleague's decision aside without having seen it, which the etag shows."""
    correction = (event.state, judgement.decision) in CORRECTIONS
    if judgement.etag or not correction or last is None or last.reviewer == judgement.reviewer:
        return None
    problem = f"event {event.event_id}: {_said(last)}; to correct that, read the event and give its etag with your decision"
    return ReviewRefusedError(problem, **_metadata(event, last))


def _said(review: Review) -> str:
    reason = f" ({review.dismissal_reason.name})" if review.dismissal_reason else ""
    return f"{review.reviewer} decided {review.decision.name}{reason} at {_time(review)}"


def _metadata(event: Event, review: Review | None) -> dict[str, str]:
    metadata = {"etag": event.etag, "state": event.state.name}
    if review is not None:
        metadata |= {"reviewer": review.reviewer, "decision": review.decision.name, "review_time": _time(review)}
    return metadata


def _time(review: Review) -> str:
    return review.review_time.astimezone(UTC).isoformat(timespec="seconds")


def _version(etag: str) -> int:
    """The version that an etag is of; before all others for a text that is none."""
    try:
        return int(etag, 16)
    except ValueError:
        return -1
