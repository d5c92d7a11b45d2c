"""The closed vocabularies of the contract as Python enumerations, number for number those of `vocabulary.proto`."""

from enum import IntEnum


class Kind(IntEnum):
    """The eight predetermined situations of French décret 2023-828, article 3. Nothing else can be detected or recorded."""

    ABANDONED_OBJECT = 1
    WEAPON = 2
    WRONG_WAY = 3
    ZONE_INTRUSION = 4
    PERSON_DOWN = 5
    CROWD_MOVEMENT = 6
    CROWD_DENSITY = 7
    FIRE = 8


class ObjectClass(IntEnum):
    """What a detector may name: what a thing is, never who a person is."""

    PERSON = 1
    BICYCLE = 2
    MOTORCYCLE = 3
    CAR = 4
    BUS = 5
    TRUCK = 6
    TRAIN = 7
    BACKPACK = 8
    HANDBAG = 9
    SUITCASE = 10
    WEAPON = 11
    FLAME = 12
    SMOKE = 13


INTRUDERS = (
    ObjectClass.PERSON,
    ObjectClass.BICYCLE,
    ObjectClass.MOTORCYCLE,
    ObjectClass.CAR,
    ObjectClass.BUS,
    ObjectClass.TRUCK,
    ObjectClass.TRAIN,
)
"""Who or what may be said to intrude. Bags, weapons and flames have kinds of their own, which their own acts allow."""


class Severity(IntEnum):
    """How much a situation presses."""

    NOTICE = 1
    WARNING = 2
    CRITICAL = 3
