"""What a venue file may say. Its form is checked here; whether it makes sense, by the coordination service's own rules."""

from datetime import datetime
from enum import Enum
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator

from tools.venue_file.parts import Part, Point, one_of
from tools.venue_file.rules import Rule
from vigie.vocabulary import Kind

EVERY_CAMERA = "all"


class Direction(Enum):
    """In which direction a line must not be crossed, seen along it from start to end."""

    ANY = 1
    LEFT_TO_RIGHT = 2
    RIGHT_TO_LEFT = 3


class Pace(Enum):
    """How fast a recording is played."""

    REAL_TIME = 1
    FASTEST = 2


def _moment(value: object) -> object:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _of_these_centuries(moment: datetime) -> datetime:
    if not 1970 <= moment.year < 2200:
        raise ValueError(f"is {moment}; write a time between 1970 and 2200")
    return moment


def _stream(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


def _cameras(value: object) -> object:
    return (EVERY_CAMERA,) if value == EVERY_CAMERA else value


Moment: TypeAlias = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_of_these_centuries)]
Pixels: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]


class Authorization(Part):
    """An act that allows analysis."""

    id: str
    reference: str
    controller: str
    motive: str
    start: Moment
    end: Moment
    cameras: Annotated[tuple[str, ...], BeforeValidator(_cameras)]
    kinds: tuple[Annotated[Kind, one_of(Kind, str)], ...]
    max_cameras: Annotated[int, Field(ge=0, le=1000)] = 0
    contact: str = ""


class Stream(Part):
    """Where pictures come from; the URL alone may stand in its place."""

    url: str
    start_time: Moment | None = None
    pace: Annotated[Pace, one_of(Pace, str.lower)] | None = None


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
    direction: Annotated[Direction, one_of(Direction, str.lower)] | None = None

    @model_validator(mode="after")
    def _has_one_shape(self) -> "Zone":
        if (self.polygon is None) == (self.line is None):
            raise ValueError("needs one shape; write `polygon: [[x, y], ...]` or `line: [[x, y], [x, y]]`")
        if self.direction and self.polygon:
            raise ValueError("has a direction, which only a line can have; remove it, or write `line: [[x, y], [x, y]]`")
        return self


class Camera(Part):
    """One camera and what it watches for."""

    id: str
    name: str | None = None
    stream: Annotated[Stream, BeforeValidator(_stream)]
    picture: Picture
    rate_hz: Annotated[float, Field(gt=0)] | None = None
    ground_plane: GroundPlane | None = None
    zones: dict[str, Zone] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    neighbors: tuple[str, ...] = ()
    site: str | None = None


class Aggregation(Part):
    """Which signals of a kind are one event, where the defaults do not fit."""

    kind: Annotated[Kind, one_of(Kind, str)]
    gap_s: Annotated[float, Field(ge=0)] | None = None
    distance_m: float | None = None
    flood_signals: Annotated[int, Field(ge=1, le=65_535)] | None = None


class Register(Part):
    """A file of nothing but acts, for a venue that is on record."""

    venue: str
    authorizations: tuple[Authorization, ...]


class Venue(Part):
    """The whole file."""

    venue: str
    name: str | None = None
    time_zone: str
    site: str = ""
    authorizations: tuple[Authorization, ...] = ()
    cameras: tuple[Camera, ...] = ()
    aggregation: tuple[Aggregation, ...] = ()
