"""From what is wrong with a venue's content to where its file says it, and what to do about it."""

import re
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cluster.config import camera_config
from cluster.errors import ConfigurationError
from cluster.video.url import resolve
from services.coordination.errors import Violation
from tools.venue_file.document import Document, Location, Problem, Value, label
from tools.venue_file.parts import Part, unknown
from vigie.v1 import venues_pb2
from vigie.v1.assignments_pb2 import Assignment
from vigie.vocabulary import Kind

# Where the file says what the contract calls so, if not by the same word; the first that the file has.
_FILE_PLACES: Mapping[str, tuple[Location, ...]] = {
    "name": (("id",), ("venue",)),
    "display_name": (("name",),),
    "picture_size": (("picture",),),
    "picture_points": (("picture",),),
    "ground_points": (("metres",),),
    "start_time": (("start",), ("start_time",)),
    "end_time": (("end",),),
    "analysis_rate_hz": (("rate_hz",),),
    **{span: ((f"{span}_s",),) for span in ("clear", "dwell", "gap", "lying", "min_duration", "stationary", "sustain")},
    "moving": (("thresholds", "moving"), ("threshold_per_m2",)),
    "standing": (("thresholds", "standing"), ("threshold_per_m2",)),
    "notice_per_m2": ((0,),),
    "warning_per_m2": ((1,),),
    "critical_per_m2": ((2,),),
    "warning_per_m_min": ((0,),),
    "critical_per_m_min": ((1,),),
    "start_minute": (("from",),),
    "end_minute": (("to",),),
}

# What to say for an error of pydantic; {input} is the value, the rest its context.
_MESSAGES = {
    "missing": "is missing; add it",
    "string_type": "is {input}, which is no text; put it in quotes",
    "int_type": "is {input}; write a whole number",
    "int_from_float": "is {input}; write a whole number",
    "float_type": "is {input}; write a number",
    "finite_number": "is {input}; write a finite number",
    "greater_than": "is {input}; write more than {gt:g}",
    "greater_than_equal": "is {input}; write at least {ge:g}",
    "less_than_equal": "is {input}; write at most {le:g}",
    "tuple_type": "is {input}; write a list, such as [a, b]",
    "too_long": "has {actual_length} values; write {max_length}",
    "dict_type": "is {input}; write `name: value` lines under it",
    "model_type": "is {input}; write `name: value` lines under it",
    "model_attributes_type": "is {input}; write `name: value` lines under it",
    "datetime_type": "is {input}; write a date and time with its offset, such as 2026-11-28T14:00:00+01:00",
    "timezone_aware": "is {input}, without an offset from UTC; write one, such as 2026-11-28T14:00:00+01:00",
    "union_tag_not_found": f"has no `kind`; add one of {', '.join(Kind.__members__)}",
    "value_error": "{error}",
}


def problems_of_form(error: ValidationError, document: Document, models: Mapping[int, type[Part]]) -> Iterator[Problem]:
    """What pydantic found, but for parts that the document could not read; `models` tells by id how mappings were read."""
    unread = {problem.field for problem in document.problems}
    for details in error.errors():
        problem = _problem(details, document, models)
        if problem.field not in unread:
            yield problem


def problems_of_sense(found: Iterable[Violation], document: Document) -> Iterator[Problem]:
    """What the coordination service would refuse, where the file says it."""
    for violation in found:
        location = _in_file(violation.field, document.value)
        yield Problem(document.line(location), label(location), violation.description)


def problems_for_the_cluster(venue: venues_pb2.Venue, document: Document) -> Iterator[Problem]:
    """What the coordination service lets pass and no cluster could do, at most one thing a camera, where the file says it."""
    for index, camera in enumerate(venue.cameras):
        assignment = Assignment(camera=camera, time_zone=venue.time_zone, authorizations=venue.authorizations)
        try:
            camera_config(assignment)
            resolve(camera.stream.url, lambda secret: secret)
        except ConfigurationError as error:
            field, part = _split(error.where.removeprefix(f"{camera.name}: "))
            location = _in_file(f"cameras[{index}].{field}", document.value)
            yield Problem(document.line(location), label(location), f"{part}: {error.problem}" if part else error.problem)


def _split(where: str) -> tuple[str, str]:
    """The field that begins a place in a camera, and what is said of the part of it: `ground_plane, picture points`."""
    part = re.sub(r"^[\w.\[\]]*", "", where)
    return where.removesuffix(part), part.strip(" ,")


def _in_file(field: str, value: Value) -> Location:
    """Where the file says what the contract's message has in a field such as `cameras[0].zones[1].polygon.points[2]`."""
    location: Location = ()
    for word in re.findall(r"\w+", field):
        place = next((place for place in _places(word, value) if _at(value, place) is not None), ())
        location = (*location, *place)
        value = _at(value, place)
    return location


def _places(word: str, value: Value) -> tuple[Location, ...]:
    if not word.isdecimal():
        return _FILE_PLACES.get(word, ((word,),))
    index = int(word)
    if isinstance(value, dict):  # the file keeps zones by their ids, the contract in a list
        return tuple((key,) for key in list(value)[index : index + 1])
    return ((index,),)


def _at(value: Value, location: Location) -> Value:
    for step in location:
        value = _part(value, step)
    return value


def _part(value: Value, step: str | int) -> Value:
    return value[step] if _has(value, step) else None  # type: ignore[index]


def _has(value: Value, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, tuple) and isinstance(step, int) and step < len(value)


def _problem(details: ErrorDetails, document: Document, models: Mapping[int, type[Part]]) -> Problem:
    kind = details["type"]
    location, parent = _without_tags(details["loc"], document.value, missing=kind == "missing")
    if kind == "extra_forbidden":
        description = f"is no key here; {unknown(location[-1], models[id(parent)].keys())}"
    elif kind == "union_tag_invalid":
        location = (*location, "kind")
        kind = str(details["ctx"]["tag"])
        description = f"is {kind!r}, none of the eight kinds; {unknown(kind, list(Kind.__members__))}"
    elif kind in _MESSAGES:
        description = _MESSAGES[kind].format(input=_short(details["input"]), **details.get("ctx", {}))
    else:
        description = details["msg"]
    return Problem(document.line(location), label(location), description)


def _without_tags(loc: Location, value: Value, *, missing: bool) -> tuple[Location, Value]:
    """A location as the file has it, since pydantic's also names the rule's kind; and what holds its last step."""
    location: Location = ()
    parent = value
    for index, step in enumerate(loc):
        is_last = index == len(loc) - 1
        if _has(value, step) or (is_last and missing):
            location, parent, value = (*location, step), value, _part(value, step)
    return location, parent


def _short(value: object) -> str:
    if isinstance(value, dict | tuple):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = "empty" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
