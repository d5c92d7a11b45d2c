"""Words for the reasons of signals."""

from collections import Counter
from collections.abc import Iterable

from vigie.vocabulary import ObjectClass

_PLURALS = {ObjectClass.PERSON: "people", ObjectClass.BUS: "buses"}


def counted(things: Iterable[ObjectClass]) -> str:
    """How many of what: `person`, `3 people`, `2 people and 1 bicycle`."""
    counts = sorted(Counter(things).items())
    if len(counts) == 1 and counts[0][1] == 1:
        return counts[0][0].name.lower()
    return " and ".join(f"{count} {_plural(thing) if count > 1 else thing.name.lower()}" for thing, count in counts)


def _plural(thing: ObjectClass) -> str:
    return _PLURALS.get(thing, f"{thing.name.lower()}s")
