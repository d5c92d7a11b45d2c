"""From what is wrong with values to violations of the fields that hold them."""

from collections.abc import Iterable, Iterator, Sequence

from services.coordination.errors import Violation

MAX_QUOTED = 200


def checked(field: str, problem: str | None) -> Iterator[Violation]:
    """What a check of a single value found."""
    if problem:
        yield Violation(field, problem)


def counted(field: str, items: Sequence[object], most: int) -> Iterator[Violation]:
    """Finds a list that is longer than `most`."""
    if len(items) > most:
        yield Violation(field, f"has {len(items)} entries; at most {most} are allowed")


def unique(path: str, names: Iterable[str]) -> Iterator[Violation]:
    """Finds names that stand twice; `path` has `{}` where their index belongs. Empty names are passed over."""
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name and first.setdefault(name, index) != index:
            yield Violation(path.format(index), f"{name[:MAX_QUOTED]!r} stands already at {path.format(first[name])}")


def known(field: str, value: int, allowed: Iterable[int]) -> Iterator[Violation]:
    """Finds a value outside a closed vocabulary."""
    if value not in allowed:
        yield Violation(field, f"is {value}; it must be one of {', '.join(map(str, allowed))}")


def closed(field: str, values: Sequence[int], allowed: Sequence[int]) -> Iterator[Violation]:
    """Finds values outside a closed vocabulary, and values given twice."""
    for index, value in enumerate(values[: len(allowed) + 1]):
        yield from known(f"{field}[{index}]", value, allowed)
        if value in values[:index]:
            yield Violation(f"{field}[{index}]", "is given twice")
    yield from counted(field, values, len(allowed))


def within(prefix: str, found: Iterable[Violation]) -> Iterator[Violation]:
    """What was found in a part, by paths from the whole."""
    for violation in found:
        yield Violation(f"{prefix}.{violation.field}" if violation.field else prefix, violation.description)
