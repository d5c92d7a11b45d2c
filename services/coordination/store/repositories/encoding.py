"""How columns say what messages do."""

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from vigie.vocabulary import Kind


def canonical(message: Message) -> str:
    """A message as JSON, the same text for the same content."""
    return MessageToJson(message, preserving_proto_field_name=True, indent=None, sort_keys=True)


def kinds_of(bits: int) -> frozenset[Kind]:
    """The kinds that a column of eight bits stands for."""
    return frozenset(kind for kind in Kind if bits & 1 << kind - 1)


def bits_of(kinds: Iterable[int]) -> int:
    """The column of eight bits that stands for kinds."""
    return sum(1 << kind - 1 for kind in kinds)


def timestamp(moment: datetime) -> Timestamp:
    """A time as a message."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message
