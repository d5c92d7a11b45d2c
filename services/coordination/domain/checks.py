"""Checks of single values that requests carry, each giving what is wrong or None."""

from datetime import UTC, datetime
from math import isfinite

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

# What the database can hold and people can mean: 1970 to 2200.
_LATEST_S = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


def text(value: str, *, most: int, least: int = 0) -> str | None:
    """What is wrong with a text of at least `least` and at most `most` characters."""
    if len(value.strip()) < least:
        return "is missing"
    if len(value) > most:
        return f"has {len(value)} characters; at most {most} are allowed"
    if any(ord(character) < 32 and character not in "\n\t" for character in value):
        return "holds control characters; remove them"
    return None


def number(value: float, *, least: float, most: float) -> str | None:
    """What is wrong with a number that lies between two bounds, both allowed."""
    if not isfinite(value) or not least <= value <= most:
        return f"is {value:g}; it must lie between {least:g} and {most:g}"
    return None


def moment(value: Timestamp) -> str | None:
    """What is wrong with a time."""
    if not 0 <= value.seconds < _LATEST_S or not 0 <= value.nanos < 1_000_000_000:
        return "is no time between 1970 and 2200"
    return None


def span(value: Duration, *, most_s: float) -> str | None:
    """What is wrong with a duration of 0 to `most_s` seconds."""
    return number(value.seconds + value.nanos / 1e9, least=0, most=most_s)
