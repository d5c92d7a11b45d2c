"""Requests that anyone may send: made from what the contract says of each field, and from valid ones with changes."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st

_DEPTH = 4
_MOST = 3
_MANY = 300

_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
}
_EDGES = (
    0,
    1,
    -1,
    2,
    100,
    1000,
    1001,
    2**31 - 1,
    2**31,
    2**53,
    2**53 + 1,
    2**63 - 1,
    4_102_444_800,
    253_402_300_799,
    253_402_300_800,
)
_NUMBERS = (0.0, -0.0, 0.5, 1.0, -1.0, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf)
_TEXTS = (
    "",
    " ",
    "-",
    "\0",
    "a\0b",
    "\x1b[31m\x07",
    "‮\ufeff\u2028",
    "\U0010ffff",
    "é" * 1000,
    "x" * 20_000,
    "%s%n{0}${PATH}",
    "' OR 1=1; DROP TABLE events; --",
    "../../etc/passwd",
    "venues/-",
    "venues/-/cameras/-",
    "venues/",
    "venues/arena/cameras/",
    "venues/../cameras/gate",
    "venues/ARENA",
    "venues/" + "a" * 64,
    "00000000-0000-0000-0000-000000000000",
    "0" * 64,
    "Europe/Paris",
    "../UTC",
    "https://[",
    "rtsp://a:b@c:99999/%zz",
)
_characters = st.characters(exclude_categories=["Cs"])

_bytes = st.binary(max_size=50) | st.sampled_from([b"\xff\xd8\xff\xe0", b"\0" * 100_000])


def requests(made: Descriptor, valid: Sequence[Message], known: Sequence[str]) -> st.SearchStrategy[Message]:
    """Requests of a type: made out of nothing, or valid ones of which some fields are changed.

    Args:
        made: the type.
        valid: requests of that type that would be answered.
        known: names, ids and tokens that the service knows, with which a request gets past its first checks.
    """
    changed = [_changed(each, tuple(known)) for each in valid]
    return st.one_of(_messages(made, tuple(known), _DEPTH), *changed * 3)


@st.composite
def _messages(draw: st.DrawFn, descriptor: Descriptor, known: tuple[str, ...], depth: int) -> Message:
    message = GetMessageClass(descriptor)()
    fields = _fields(descriptor)
    if fields and depth:
        for field in draw(st.lists(st.sampled_from(fields), unique_by=lambda each: each.number)):
            _fill(draw, message, field, known, depth)
    return message


@st.composite
def _changed(draw: st.DrawFn, valid: Message, known: tuple[str, ...]) -> Message:
    message = type(valid).FromString(valid.SerializeToString())
    for _ in range(draw(st.integers(0, 2))):
        inside = draw(st.sampled_from(list(_inside(message))))
        if fields := _fields(inside.DESCRIPTOR):
            _fill(draw, inside, draw(st.sampled_from(fields)), known, _DEPTH - 1)
    return message


def _fields(descriptor: Any) -> list[FieldDescriptor]:
    return list(descriptor.fields)


def texts(message: Message) -> Iterator[str]:
    """All texts that stand in a message."""
    for inside in _inside(message):
        for field, value in inside.ListFields():
            if field.type == FieldDescriptor.TYPE_STRING:
                yield from value if field.is_repeated else [value]


def _inside(message: Message) -> Iterator[Message]:
    """A message and all that it holds."""
    yield message
    for field, value in message.ListFields():
        if field.message_type and not field.message_type.GetOptions().map_entry:
            for each in value if field.is_repeated else [value]:
                yield from _inside(each)


def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, known: tuple[str, ...], depth: int) -> None:
    """Gives a field another value, or none."""
    message.ClearField(field.name)
    value = getattr(message, field.name)
    if field.message_type and field.message_type.GetOptions().map_entry:
        key, content = field.message_type.fields
        value.update(draw(st.dictionaries(_scalars(key, known), _scalars(content, known), max_size=_MOST)))
    elif field.message_type:
        inner = _messages(field.message_type, known, depth - 1)
        if field.is_repeated:
            value.extend(draw(st.lists(inner, max_size=_MOST) if depth < _DEPTH else _lists(inner)))
        else:
            value.CopyFrom(draw(inner))
    elif field.is_repeated:
        value.extend(draw(_lists(_scalars(field, known))))
    else:
        setattr(message, field.name, draw(_scalars(field, known)))


def _lists(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A few, or one many times over."""
    return st.lists(values, max_size=_MOST) | values.map(lambda value: [value] * _MANY)


def _scalars(field: FieldDescriptor, known: tuple[str, ...]) -> st.SearchStrategy[Any]:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return _bytes if field.type == FieldDescriptor.TYPE_BYTES else _texts(known)
        case FieldDescriptor.CPPTYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return st.sampled_from(_NUMBERS) | st.floats()
        case FieldDescriptor.CPPTYPE_ENUM:
            assert field.enum_type
            return st.sampled_from([value.number for value in field.enum_type.values]) | _integers(field)
    return _integers(field)


def _integers(field: FieldDescriptor) -> st.SearchStrategy[int]:
    least, most = _BOUNDS[field.cpp_type]
    edges = [edge for edge in (least, most, *_EDGES) if least <= edge <= most]
    return st.sampled_from(edges) | st.integers(least, most)


def _texts(known: tuple[str, ...]) -> st.SearchStrategy[str]:
    """What the service knows, the same with something wrong in it, and what it never heard of."""
    names = st.sampled_from(known)
    spoilt = st.builds(_spoilt, names, st.integers(0, 100), st.sampled_from(_TEXTS) | _characters)
    return names | names | spoilt | st.sampled_from(_TEXTS) | st.text(_characters, max_size=20) | st.uuids().map(str)


def _spoilt(name: str, place: int, what: str) -> str:
    return name[:place] + what + name[place + 1 :]
