"""Reads the parameters of rules from the contract's messages, with their bounds and defaults."""

from collections.abc import Sequence

from google.protobuf.message import Message

from cluster.analysis.geometry import Polygon
from cluster.analysis.schedule import Schedule, Window
from cluster.analysis.view import View
from cluster.errors import ConfigurationError
from vigie.v1 import venues_pb2
from vigie.vocabulary import INTRUDERS, ObjectClass

WINDOWS_LIMIT = 64
_DAYS = frozenset(range(7))


def bounded(value: float, low: float, high: float, where: str) -> float:
    """The value, or ConfigurationError with `where` when it is out of its bounds."""
    if not low <= value <= high:
        raise ConfigurationError(where, f"is {value:g}; give {low:g} to {high:g}")
    return value


def seconds(message: Message, field: str, *, default_s: float, limit_s: float, where: str) -> float:
    """The duration in a field of a message, between 0 and a limit, in seconds; the default where it is unset.

    Raises ConfigurationError with `where`, which names the message, and the field.
    """
    if not message.HasField(field):
        return default_s
    duration = getattr(message, field)
    return bounded(duration.seconds + duration.nanos / 1e9, 0, limit_s, f"{where}.{field} (seconds)")


def polygon(view: View, zone: str, where: str) -> Polygon:
    """The polygon with this id. Raises ConfigurationError with `where` when there is none."""
    found = view.named(zone, where)
    if not isinstance(found, Polygon):
        raise ConfigurationError(where, f"zone {zone!r} is a line; this kind needs a polygon")
    return found


def polygon_if_named(view: View, zone: str, where: str) -> Polygon | None:
    """The polygon with this id; None, the whole picture, where no zone is named. Raises ConfigurationError like `polygon`."""
    return polygon(view, zone, where) if zone else None


def movers(values: Sequence[int], where: str) -> frozenset[ObjectClass]:
    """Who or what may be meant by a rule about people and vehicles: people where nobody is named.

    Raises ConfigurationError with `where` for classes that are neither.
    """
    for value in values:
        if value not in INTRUDERS:
            name = ObjectClass(value).name if value in set(ObjectClass) else f"class {value}"
            known = ", ".join(sorted(mover.name for mover in INTRUDERS))
            raise ConfigurationError(where, f"{name} is neither a person nor a vehicle; choose from {known}")
    return frozenset(map(ObjectClass, values)) or frozenset({ObjectClass.PERSON})


def schedule(windows: list[venues_pb2.ScheduleWindow], view: View, where: str) -> Schedule:
    """The schedule of a rule. Raises ConfigurationError with the window's place in it."""
    if len(windows) > WINDOWS_LIMIT:
        raise ConfigurationError(where, f"has {len(windows)} windows; give at most {WINDOWS_LIMIT}")
    return Schedule(tuple(_window(window, f"{where}[{place}]") for place, window in enumerate(windows)), view.time_zone)


def _window(window: venues_pb2.ScheduleWindow, where: str) -> Window:
    days = frozenset(day - venues_pb2.WEEKDAY_MONDAY for day in window.days) or _DAYS
    if not days <= _DAYS:
        raise ConfigurationError(f"{where}.days", "names a day that no week has; give MONDAY to SUNDAY")
    bounded(window.start_minute, 0, 1439, f"{where}.start_minute")
    bounded(window.end_minute, 1, 1440, f"{where}.end_minute")
    return Window(days, window.start_minute, window.end_minute)
