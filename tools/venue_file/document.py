"""YAML to plain values that remember on which line they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import yaml

Value: TypeAlias = object
Location: TypeAlias = tuple[str | int, ...]

SIZE_LIMIT_BYTES = 1 << 20
DEPTH_LIMIT = 32
NODE_LIMIT = 100_000


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that is wrong on a line, and what to do about it."""

    line: int
    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content.

    Attributes:
        value: mappings as dict, sequences as tuple, scalars as YAML 1.1 reads them, but for `22:00`, which stays text.
        lines: where each part begins.
        problems: parts that YAML lets pass and this reader does not; they are missing in `value`.
    """

    value: Value
    lines: Mapping[Location, int]
    problems: tuple[Problem, ...]

    def line(self, location: Location) -> int:
        """The line of a part, or of the closest part around it that the file has."""
        while location not in self.lines:
            location = location[:-1]
        return self.lines[location]


class UnreadableError(Exception):
    """A file is no YAML, or more of it than this reader takes. Its text is the problem's."""

    def __init__(self, description: str, line: int = 1) -> None:
        super().__init__(description)
        self.problem = Problem(line, "", description)


def label(location: Location) -> str:
    """A part's name as a user reads it: `cameras[0].zones.grass`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".")


def read(content: bytes) -> Document:
    """Parses one YAML document. Raises UnreadableError."""
    if len(content) > SIZE_LIMIT_BYTES:
        raise UnreadableError(f"is larger than {SIZE_LIMIT_BYTES >> 20} MiB; write one file a venue")
    try:
        text = content.decode()
        _check_depth(text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError as error:
        raise UnreadableError("is not UTF-8 text; save it as UTF-8", content[: error.start].count(b"\n") + 1) from error
    except yaml.MarkedYAMLError as error:
        problem = f"is not YAML: {error.problem or error.context}; check its indentation and quotes"
        raise UnreadableError(problem, _line(error.problem_mark)) from error
    except yaml.YAMLError as error:
        raise UnreadableError(f"is not YAML: {' '.join(str(error).split())}") from error
    if root is None:
        raise UnreadableError("is empty; begin with `venue: ID`")
    builder = _Builder()
    value = builder.build(root, ())
    return Document(value, builder.lines, tuple(builder.problems))


def _check_depth(text: str) -> None:
    # The composer recurses, so a file of a million brackets must be stopped before it.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH_LIMIT:
            raise UnreadableError(f"is nested deeper than {DEPTH_LIMIT} levels", _line(event.start_mark))


class _Mark(Protocol):
    """A position in a file, as both of PyYAML's parsers give it."""

    @property
    def line(self) -> int: ...


def _line(mark: _Mark | None) -> int:
    return mark.line + 1 if mark else 1


@dataclass(slots=True)
class _Builder:
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    scalars: yaml.constructor.SafeConstructor = field(default_factory=yaml.constructor.SafeConstructor)
    nodes: int = 0

    def build(self, node: yaml.Node, location: Location) -> Value:
        """The value of a node. Aliases are followed as often as they are named, hence the limits."""
        line = _line(node.start_mark)
        self.nodes += 1
        if self.nodes > NODE_LIMIT or len(location) > DEPTH_LIMIT:
            raise UnreadableError(f"its aliases unfold to more than {NODE_LIMIT} values or {DEPTH_LIMIT} levels", line)
        self.lines.setdefault(location, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.build(item, (*location, index)) for index, item in enumerate(node.value))
        return self._scalar(node, location)

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Value]:
        mapping: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line, key = _line(key_node.start_mark), str(key_node.value)
            place = (*location, key)
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(line, location, "has a key that is no text; write `name: value`")
            elif key in mapping:
                self._report(line, place, f"stands twice, first on line {self.lines[place]}; keep one of them")
            else:
                self.lines[place] = line
                mapping[key] = self.build(value_node, place)
        return mapping

    def _scalar(self, node: yaml.Node, location: Location) -> Value:
        text = str(node.value)
        if node.tag in {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"} and ":" in text:
            return text  # YAML 1.1 takes 22:00 for a number to the base of 60
        try:
            value: Value = self.scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            problem = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
            self._report(_line(node.start_mark), location, f"cannot be read: {problem}; write plain text or put it in quotes")
            return None
        return value

    def _report(self, line: int, location: Location, description: str) -> None:
        self.problems.append(Problem(line, label(location), description))
