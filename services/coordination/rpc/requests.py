"""What requests of all services have in common: who asks, of which venue, for how many."""

import json
from typing import Any
from uuid import UUID, uuid5

from google.protobuf.message import Message
from grpc import aio

from services.coordination.access.caller import current
from services.coordination.domain import checks
from services.coordination.domain.audit import Trace
from services.coordination.errors import InvalidRequestError, NotFoundError, Violation
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import ANY_VENUE, InvalidNameError, parse_event, parse_venue

_REQUESTS = UUID("5d1b5a3e-8b1f-4f0e-9a3c-6f0a54c1d7be")
ACTOR_KEY = "x-vigie-actor"
MAX_ACTOR = 200
MAX_PAGE = 1000
DEFAULT_PAGE = 100

Context = aio.ServicerContext[Any, Any]


def trace(action: str, resource: str, *, actor: str = "", **detail: object) -> Trace:
    """What a call does, for the audit log."""
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str)
    return Trace(actor=actor_name(actor), action=action, resource=resource[:MAX_ACTOR], detail=text)


def actor_name(said: str = "") -> str:
    """Who calls, as it stands on record. Where the service knows nobody it is who the request says, if it says so."""
    caller = current().caller
    name = caller.name if caller.known or not said else said
    printable = "".join(character for character in name if character.isprintable())
    return printable[:MAX_ACTOR] or "unknown"


def invalid(field: str, description: str) -> InvalidRequestError:
    """An error about one field."""
    return InvalidRequestError([Violation(field, description)])


def venues_of(parent: str) -> frozenset[str] | None:
    """Ids of the venues that a list or watch is of; None means all. `venues/-` is all at which the caller may make this call.

    Raises InvalidRequestError.
    """
    return current().venues if parent == ANY_VENUE else frozenset({_venue(parent)})


async def check_known(work: UnitOfWork, parent: str) -> None:
    """Raises NotFoundError for a venue that was never applied: to misspell one must not look as if nothing happened there.

    Raises InvalidRequestError for what is no name of a venue.
    """
    if parent != ANY_VENUE and not await work.venues.is_known(_venue(parent)):
        raise NotFoundError(f"{parent} was never applied; apply its file, or list the venues there are")


def _venue(parent: str) -> str:
    try:
        return parse_venue(parent)
    except InvalidNameError as error:
        raise invalid("parent", f"{error}; write {ANY_VENUE} for all venues") from error


def page_size(asked: int) -> int:
    """How many a page holds."""
    return min(asked or DEFAULT_PAGE, MAX_PAGE)


def check_text(field: str, value: str, *, most: int, least: int = 0) -> None:
    """Raises InvalidRequestError if a text is too short or too long."""
    if problem := checks.text(value, least=least, most=most):
        raise invalid(field, problem)


def event_ids(field: str, name: str) -> tuple[str, UUID]:
    """The ids of the venue and the event from the event's name. Raises InvalidRequestError."""
    try:
        venue, event = parse_event(name)
        return venue, UUID(event)
    except ValueError as error:
        raise invalid(field, f"{name[:200]!r} is no name of an event, venues/{{venue}}/events/{{uuid}}") from error


def request_uuid(text: str, venue: str) -> UUID | None:
    """The id by which a request that is sent again is known on record; None if it has none. Raises InvalidRequestError.

    It is made of the venue's id and the caller's: what is chosen at one venue can neither meet nor tell of what was at another.
    """
    try:
        return uuid5(_REQUESTS, f"{venue}/{UUID(text)}") if text else None
    except ValueError as error:
        problem = "is no UUID; make one for each request, and keep it when you send the request again"
        raise invalid("request_id", problem) from error


def summary(message: Message) -> dict[str, object]:
    """The scalar fields of a filter, for the audit log."""
    return {field.name: str(value)[:MAX_ACTOR] for field, value in message.ListFields()}
