"""What a venue file may say of each of the eight kinds that a camera can watch for."""

from enum import Enum
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from tools.venue_file.parts import Part, Point, one_of
from vigie.vocabulary import INTRUDERS, ObjectClass


class Day(Enum):
    """A day on which a span of a schedule starts."""

    MON = 1
    TUE = 2
    WED = 3
    THU = 4
    FRI = 5
    SAT = 6
    SUN = 7


def _minute(value: object) -> int:
    match str(value).split(":"):
        case [hours, minutes] if len(hours) == len(minutes) == 2 and (hours + minutes).isdecimal() and int(minutes) < 60:
            if (minute := 60 * int(hours) + int(minutes)) <= 24 * 60:
                return minute
    raise ValueError(f'is {value!r}; write a time of day such as "22:00"')


Minute: TypeAlias = Annotated[int, BeforeValidator(_minute)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
Who: TypeAlias = tuple[Annotated[ObjectClass, one_of(INTRUDERS, str.lower)], ...]
Count: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]
DensityValues: TypeAlias = tuple[float, float, float]
FlowValues: TypeAlias = tuple[float, float]


class Window(Part):
    """A weekly span in the venue's time zone."""

    days: tuple[Annotated[Day, one_of(Day, str.lower)], ...] = ()
    start: Minute = Field(alias="from")
    end: Minute = Field(alias="to")


class AbandonedObject(Part):
    """A thing that someone left."""

    kind: Literal["ABANDONED_OBJECT"]
    zone: str = ""
    stationary_s: Seconds | None = None
    owner_distance_m: float | None = None
    owner_distance_heights: float | None = None


class Weapon(Part):
    """A weapon that somebody carries."""

    kind: Literal["WEAPON"]
    zone: str = ""
    confirmations: Count | None = None
    frames: Count | None = None
    clear_s: Seconds | None = None


class WrongWay(Part):
    """Someone who goes against the direction that is allowed, x to the right and y down."""

    kind: Literal["WRONG_WAY"]
    zone: str
    allowed_direction: Point
    who: Who = ()
    min_distance_m: float | None = None
    min_distance_heights: float | None = None
    min_duration_s: Seconds | None = None
    clear_s: Seconds | None = None
    schedule: tuple[Window, ...] = ()


class ZoneIntrusion(Part):
    """Someone where nobody must be."""

    kind: Literal["ZONE_INTRUSION"]
    zone: str
    who: Who = ()
    dwell_s: Seconds | None = None
    clear_s: Seconds | None = None
    schedule: tuple[Window, ...] = ()


class PersonDown(Part):
    """Someone who fell and lies."""

    kind: Literal["PERSON_DOWN"]
    zone: str = ""
    lying_s: Seconds | None = None


class CrowdMovement(Part):
    """A crowd that moves as it did not before."""

    kind: Literal["CROWD_MOVEMENT"]
    zone: str = ""
    min_people: Count | None = None
    sustain_s: Seconds | None = None
    clear_s: Seconds | None = None


class DensityThresholds(Part):
    """People per square metre from which a density is worth a notice, a warning, an alarm; for each way a crowd may be."""

    moving: DensityValues | None = None
    standing: DensityValues | None = None


class CrowdDensity(Part):
    """More people on some ground than is safe or, where the zone is a line, more who pass it."""

    kind: Literal["CROWD_DENSITY"]
    zone: str
    threshold_per_m2: float | None = None
    thresholds: DensityThresholds | None = None
    flow: FlowValues | None = None
    sustain_s: Seconds | None = None
    clear_s: Seconds | None = None

    @model_validator(mode="after")
    def _has_thresholds_once(self) -> "CrowdDensity":
        if self.threshold_per_m2 is not None and self.thresholds is not None:
            raise ValueError("has `threshold_per_m2` and `thresholds`; keep one of them")
        return self


class Fire(Part):
    """Flames."""

    kind: Literal["FIRE"]
    zone: str = ""
    sustain_s: Seconds | None = None
    clear_s: Seconds | None = None


Rule: TypeAlias = Annotated[
    AbandonedObject | Weapon | WrongWay | ZoneIntrusion | PersonDown | CrowdMovement | CrowdDensity | Fire,
    Field(discriminator="kind"),
]
