"""What a venue file may say. Its form is checked here; whether it makes sense, by the coordination service's own rules."""

from collections.abc import Callable, Iterable
from datetime import datetime
from difflib import get_close_matches
from enum import Enum
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from vigie.vocabulary import INTRUDERS, Kind, ObjectClass

EVERY_CAMERA = "all"

E = TypeVar("E", bound=Enum)


class Direction(Enum):
    """In which direction a line must not be crossed, seen along it from start to end."""

    ANY = 1
    LEFT_TO_RIGHT = 2
    RIGHT_TO_LEFT = 3


class Pace(Enum):
    """How fast a recording is played."""

    REAL_TIME = 1
    FASTEST = 2


class Day(Enum):
    """A day on which a span of a schedule starts."""

    MON = 1
    TUE = 2
    WED = 3
    THU = 4
    FRI = 5
    SAT = 6
    SUN = 7


def unknown(text: object, known: list[str]) -> str:
    """Says that a word is not one of those known, and which one may have been meant."""
    close = get_close_matches(str(text), known, n=1)
    return (f"did you mean `{close[0]}`? " if close else "") + f"known: {', '.join(known)}"


def _member(members: Iterable[E], spell: Callable[[str], str]) -> BeforeValidator:
    known = {spell(member.name): member for member in members}

    def parse(value: object) -> E:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"is {value!r}; {unknown(value, list(known))}")
        return known[value]

    return BeforeValidator(parse)


def _moment(value: object) -> object:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _of_these_centuries(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 2200:
        raise ValueError(f"is {moment}; write a time between 1970 and 2200")
    return moment


def _minute(value: object) -> int:
    match str(value).split(":"):
        case [hours, minutes] if len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal() and int(minutes) < 60:
            if (minute := 60 * int(hours) + int(minutes)) <= 24 * 60:
                return minute
    raise ValueError(f'is {value!r}; write a time of day such as "22:00"')


def _stream(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


def _cameras(value: object) -> object:
    return (EVERY_CAMERA,) if value == EVERY_CAMERA else value


Moment: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_of_these_centuries)]
Minute: TypeAlias = Annotated[int, BeforeValidator(_minute)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
Pixels: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]
Point: TypeAlias = tuple[float, float]
Thresholds: TypeAlias = tuple[float, float, float]


class Part(BaseModel):
    """A mapping of the file. The context of a validation notes which model each mapping was read as."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _note(cls, value: object, info: ValidationInfo) -> object:
        if info.context is not None:
            info.context[id(value)] = cls
        return value

    @classmethod
    def keys(cls) -> list[str]:
        """The keys that the mapping may have."""
        return [field.alias or name for name, field in cls.model_fields.items()]


class Authorization(Part):
    """An act that allows analysis."""

    id: str
    reference: str
    controller: str
    motive: str
    start: Moment
    end: Moment
    cameras: Annotated[tuple[str, ...], BeforeValidator(_cameras)]
    kinds: tuple[Annotated[Kind, _member(Kind, str)], ...]


class Stream(Part):
    """Where pictures come from; the URL alone may stand in its place."""

    url: str
    start_time: Moment | None = None
    pace: Annotated[Pace, _member(Pace, str.lower)] | None = None


class Picture(Part):
    """The picture in whose pixels a camera is described."""

    width: Pixels
    height: Pixels


class GroundPlane(Part):
    """Four points of the picture and where they lie on the ground."""

    picture: tuple[Point, ...]
    metres: tuple[Point, ...]


class Zone(Part):
    """A polygon, or a line with the direction in which it must not be crossed."""

    polygon: tuple[Point, ...] | None = None
    line: tuple[Point, Point] | None = None
    direction: Annotated[Direction, _member(Direction, str.lower)] | None = None

    @model_validator(mode="after")
    def _has_one_shape(self) -> "Zone":
        if (self.polygon is None) == (self.line is None):
            raise ValueError("needs one shape; write `polygon: [[x, y], ...]` or `line: [[x, y], [x, y]]`")
        if self.direction and self.polygon:
            raise ValueError("has a direction, which only a line can have; remove it, or write `line: [[x, y], [x, y]]`")
        return self


class Window(Part):
    """A weekly span in the venue's time zone."""

    days: tuple[Annotated[Day, _member(Day, str.lower)], ...] = ()
    start: Minute = Field(alias="from")
    end: Minute = Field(alias="to")


class ZoneIntrusion(Part):
    """Someone where nobody must be."""

    kind: Literal["ZONE_INTRUSION"]
    zone: str
    who: tuple[Annotated[ObjectClass, _member(INTRUDERS, str.lower)], ...] = ()
    dwell_s: Seconds | None = None
    clear_s: Seconds | None = None
    schedule: tuple[Window, ...] = ()


class DensityThresholds(Part):
    """People per square metre from which a density is worth a notice, a warning, an alarm; for each way a crowd may be."""

    moving: Thresholds | None = None
    standing: Thresholds | None = None


class CrowdDensity(Part):
    """More people than is safe."""

    kind: Literal["CROWD_DENSITY"]
    zone: str
    threshold_per_m2: float | None = None
    thresholds: DensityThresholds | None = None
    sustain_s: Seconds | None = None
    clear_s: Seconds | None = None

    @model_validator(mode="after")
    def _has_thresholds_once(self) -> "CrowdDensity":
        if self.threshold_per_m2 is not None and self.thresholds is not None:
            raise ValueError("has `threshold_per_m2` and `thresholds`; keep one of them")
        return self


Rule: TypeAlias = Annotated[ZoneIntrusion | CrowdDensity, Field(discriminator="kind")]
WATCHABLE = ("ZONE_INTRUSION", "CROWD_DENSITY")


class Camera(Part):
    """One camera and what it watches for."""

    id: str
    name: str | None = None
    stream: Annotated[Stream, BeforeValidator(_stream)]
    picture: Picture
    rate_hz: Annotated[float, Field(gt=0)] | None = None
    ground_plane: GroundPlane | None = None
    zones: dict[str, Zone] = {}
    rules: tuple[Rule, ...] = ()


class Venue(Part):
    """The whole file."""

    venue: str
    name: str | None = None
    time_zone: str
    authorizations: tuple[Authorization, ...] = ()
    cameras: tuple[Camera, ...] = ()
