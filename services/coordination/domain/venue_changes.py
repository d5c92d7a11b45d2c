"""What applying a venue would change."""

from collections.abc import Iterable, Mapping

from google.protobuf.message import Message

from vigie.v1 import authorizations_pb2, venues_pb2
from vigie.vocabulary import Kind


def changes(
    current: venues_pb2.Venue | None, wanted: venues_pb2.Venue, acts: Iterable[authorizations_pb2.Authorization] = ()
) -> list[str]:
    """What has to change for a venue to become what is wanted, a line each; empty if it is so already.

    `acts` are those of the wanted that are not on record: the others stay as they are.
    """
    before = current or venues_pb2.Venue()
    return [
        *(["venue: added"] if current is None else _fields(current, wanted)),
        *_items("camera", _named(before.cameras), _named(wanted.cameras)),
        *_items("aggregation of", _by_kind(before), _by_kind(wanted)),
        *_items("authorization", {}, _named(acts)),
    ]


def _fields(current: venues_pb2.Venue, wanted: venues_pb2.Venue) -> Iterable[str]:
    for field in ("display_name", "time_zone"):
        before, after = getattr(current, field), getattr(wanted, field)
        if before != after:
            yield f"{field}: {before!r} becomes {after!r}"


def _items(what: str, current: Mapping[str, Message], wanted: Mapping[str, Message]) -> Iterable[str]:
    for name, message in wanted.items():
        if name not in current:
            yield f"{what} {name}: added"
        elif changed := _differing(current[name], message):
            yield f"{what} {name}: {', '.join(changed)} changed"
    for name in current:
        if name not in wanted:
            yield f"{what} {name}: withdrawn"


def _differing(current: Message, wanted: Message) -> list[str]:
    before, after = ({field.name: value for field, value in message.ListFields()} for message in (current, wanted))
    return [field.name for field in current.DESCRIPTOR.fields if before.get(field.name) != after.get(field.name)]


def _by_kind(venue: venues_pb2.Venue) -> dict[str, Message]:
    return {Kind(rule.kind).name: rule for rule in venue.aggregation}


def _named(messages: Iterable[venues_pb2.Camera] | Iterable[Message]) -> dict[str, Message]:
    return {str(getattr(message, "name")).rpartition("/")[2]: message for message in messages}  # noqa: B009
