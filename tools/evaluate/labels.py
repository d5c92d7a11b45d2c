"""Label files: what really happens in a clip, and what its camera is set to watch for.

A label file is JSON, one for each clip. Every message names the file and the field.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.errors import CommandError, ExitCode
from tools.venue_file.parts import one_of
from tools.venue_file.rules import Rule
from vigie.vocabulary import Kind

LABEL_LIMIT_BYTES = 1 << 20
LABELS_LIMIT = 10_000
_SHOWN_PROBLEMS = 50


KindName: TypeAlias = Annotated[Kind, one_of(Kind, str)]
Seconds: TypeAlias = Annotated[float, Field(ge=0, le=86_400)]
Side: TypeAlias = Annotated[int, Field(ge=16, le=8192)]
Coordinate: TypeAlias = Annotated[float, Field(ge=-100_000, le=100_000)]
Point: TypeAlias = tuple[Coordinate, Coordinate]
Box: TypeAlias = tuple[Coordinate, Coordinate, Coordinate, Coordinate]


def _with_tuples(value: object) -> object:
    """Lists, and lists in them, as the tuples that models are made of."""
    return tuple(map(_with_tuples, value)) if isinstance(value, list) else value


class _Part(BaseModel):
    """A mapping of the file. Keys that are not known here are remarks, but for those of `watch`, which set what is measured."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False)


class Watch(_Part):
    """One rule of the camera, in the words of a venue file, with the polygon of its zone beside it."""

    polygon: Annotated[tuple[Point, ...], Field(max_length=128)] | None = None
    rule: Rule

    @model_validator(mode="before")
    @classmethod
    def _apart(cls, value: object) -> object:
        """The file has the polygon among the keys of the rule."""
        if not isinstance(value, dict):
            return value
        parts = {key: _with_tuples(part) for key, part in value.items()}
        return {"polygon": parts.pop("polygon", None), "rule": parts}

    @property
    def kind(self) -> Kind:
        """What is watched for."""
        return Kind[self.rule.kind]


class GroundPlane(_Part):
    """Four points of the picture, in pixels, and the points of the ground that they show, in metres."""

    image: tuple[Point, Point, Point, Point]
    metres: tuple[Point, Point, Point, Point]


class Event(_Part):
    """What really happens, in seconds from the clip's start and pixels of the label's picture.

    Attributes:
        kind: what it is.
        start_s: when it begins.
        end_s: when it is over.
        zone: where it happens, for kinds that are watched for in zones.
        box: where it happens, x0, y0, x1, y1.
        lying_from_s: when a person who falls has come to lie.
    """

    kind: KindName
    start_s: Seconds
    end_s: Seconds
    zone: str = ""
    box: Box | None = None
    lying_from_s: Seconds | None = None

    @model_validator(mode="after")
    def _is_in_order(self) -> "Event":
        if self.end_s < self.start_s:
            raise ValueError(f"ends at {self.end_s:g} s, before it starts at {self.start_s:g} s")
        if self.box and (self.box[2] < self.box[0] or self.box[3] < self.box[1]):
            raise ValueError("has a box whose corners are swapped; give x0, y0, x1, y1")
        return self


class Label(_Part):
    """What is known of one clip.

    Attributes:
        clip: where it is, from the folder above the label's, or beside the label.
        fps: frames a second.
        width: of the picture in whose pixels everything is given.
        height: of that picture.
        frames: how many the clip has.
        sha256: of the clip.
        watch: what the camera is set to watch for.
        events: what really happens.
        says_nothing_about: kinds of which nothing is known here, so that their signals are not counted.
        ground_plane: where it is known.
    """

    clip: Annotated[str, Field(min_length=1, max_length=1024)]
    fps: Annotated[float, Field(gt=0, le=1000)]
    width: Side
    height: Side
    frames: Annotated[int, Field(ge=1, le=10_000_000)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    watch: Annotated[tuple[Watch, ...], Field(max_length=64)]
    events: Annotated[tuple[Event, ...], Field(max_length=1000)]
    says_nothing_about: tuple[KindName, ...] = ()
    ground_plane: GroundPlane | None = None

    @property
    def watched(self) -> frozenset[Kind]:
        """The kinds that the camera is set to watch for."""
        return frozenset(watch.kind for watch in self.watch)

    @property
    def counted(self) -> frozenset[Kind]:
        """The kinds whose signals and events count."""
        return self.watched - frozenset(self.says_nothing_about)

    @property
    def length_s(self) -> float:
        """How long the clip is."""
        return self.frames / self.fps

    @model_validator(mode="after")
    def _watches_for_what_happens(self) -> "Label":
        for event in self.events:
            if event.kind not in self.watched | frozenset(self.says_nothing_about):
                advice = "add it to watch or to says_nothing_about"
                raise ValueError(f"has an event {event.kind.name}, which the camera does not watch for; {advice}")
        return self


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label, and where it was found.

    Attributes:
        path: where it was found.
        label: what it says.
        is_apart: whether its clip belongs to the set that is reported apart.
    """

    path: Path
    label: Label
    is_apart: bool = False

    @property
    def name(self) -> str:
        """What the clip is called in what is printed."""
        return self.path.stem

    @property
    def clip(self) -> Path:
        """The clip: in the folder above the label's, or beside it."""
        folder = self.path.parent
        places = folder.parent / self.label.clip, folder / self.label.clip, folder / Path(self.label.clip).name
        return next((place for place in places if place.exists()), places[0])


def load_labels(paths: Iterable[Path], apart: Sequence[str] = ()) -> list[LabelFile]:
    """The labels of files and of folders of them, in order of their paths, each once.

    Raises CommandError, with a line for each problem. `apart`: patterns of the names of those that are reported apart.
    """
    files = sorted({file.resolve() for path in paths for file in _files(path)})
    if not 0 < len(files) <= LABELS_LIMIT:
        raise CommandError(f"there are {len(files)} label files; give 1 to {LABELS_LIMIT}", ExitCode.BAD_INPUT)
    labels, problems = [], []
    for file in files:
        try:
            is_apart = any(fnmatchcase(file.stem, pattern) for pattern in apart)
            labels.append(LabelFile(file, Label.model_validate_json(_content(file)), is_apart))
        except ValidationError as error:
            problems += [f"{file}: {problem}" for problem in _problems(error)]
    if problems:
        raise CommandError("\n".join(["labels cannot be used", *problems[:_SHOWN_PROBLEMS]]), ExitCode.BAD_INPUT)
    return labels


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if files := list(path.glob("*.json")):
        return files
    raise CommandError(f"{path}: holds no label file (*.json); name another folder", ExitCode.BAD_INPUT)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LABEL_LIMIT_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}; name a label file", ExitCode.BAD_INPUT) from error
    if len(content) > LABEL_LIMIT_BYTES:
        raise CommandError(f"{path}: is longer than {LABEL_LIMIT_BYTES} bytes; a label is not", ExitCode.BAD_INPUT)
    return content


def _problems(error: ValidationError) -> list[str]:
    return [
        f"{_field(item['loc'])}: {item['msg'].removeprefix('Value error, ')}{_given(item['input'])}"
        for item in error.errors(include_url=False)
    ]


def _field(location: tuple[int | str, ...]) -> str:
    """A place as the file has it: pydantic's names the models between as well."""
    return ".".join(str(step) for step in location if step != "rule" and step not in Kind.__members__) or "the label"


def _given(value: object) -> str:
    return f" (it is {value!r:.60})" if isinstance(value, str | int | float) else ""
