"""Venue files: what a venue, its cameras, zones, rules and authorisations are, in YAML.

Every message says `FILE:LINE: FIELD: what is wrong; what to do`, all of them at once, in the order of the lines.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from services.coordination.domain.venues import violations
from tools.errors import CommandError, ExitCode
from tools.venue_file import convert, schema
from tools.venue_file.document import SIZE_LIMIT_BYTES, Document, Problem, UnreadableError, read
from tools.venue_file.parts import Part, unknown
from tools.venue_file.problems import problems_for_the_cluster, problems_of_form, problems_of_sense
from vigie.names import is_id, parse_camera, venue_name
from vigie.v1 import venues_pb2
from vigie.v1.authorizations_pb2 import Authorization

Content = TypeVar("Content", bound=Part)


class VenueFileError(CommandError):
    """A venue file cannot be used; the message has a line for each problem."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(set(problems)))
        heading = f"{path} cannot be used"
        super().__init__("\n".join([heading, *(_message(path, problem) for problem in self.problems)]), ExitCode.BAD_INPUT)


@dataclass(frozen=True, slots=True)
class VenueFile:
    """A venue as its file says, found to make sense."""

    path: Path
    venue: venues_pb2.Venue

    def camera(self, camera_id: str) -> venues_pb2.Camera:
        """The camera with an id. Raises CommandError, which names those that there are."""
        cameras = {parse_camera(camera.name)[1]: camera for camera in self.venue.cameras}
        if camera_id not in cameras:
            problem = f"{self.path}: has no camera {camera_id!r}; {unknown(camera_id, list(cameras))}"
            raise CommandError(problem, ExitCode.NOT_FOUND)
        return cameras[camera_id]


@dataclass(frozen=True, slots=True)
class Register:
    """A file of acts for a venue that is on record."""

    path: Path
    content: schema.Register
    document: Document

    @property
    def venue(self) -> str:
        """Name of the venue."""
        return venue_name(self.content.venue)

    def acts(self, venue: venues_pb2.Venue) -> list[Authorization]:
        """The acts, for the venue as it is on record. Raises VenueFileError for what does not make sense there."""
        cameras = [parse_camera(camera.name)[1] for camera in venue.cameras]
        acts = convert.acts(self.content.authorizations, self.content.venue, cameras)
        wanted = venues_pb2.Venue(name=venue.name, time_zone=venue.time_zone, cameras=venue.cameras, authorizations=acts)
        if problems := [*self.document.problems, *problems_of_sense(violations(wanted), self.document)]:
            raise VenueFileError(self.path, problems)
        return acts


def load_venue(path: Path) -> VenueFile:
    """Reads and checks a venue file. Raises VenueFileError."""
    content, document = _parsed(path, schema.Venue)
    venue = convert.venue(content, path.parent)
    problems = [*document.problems, *problems_of_sense(violations(venue), document)]
    if problems := problems or list(problems_for_the_cluster(venue, document)):
        raise VenueFileError(path, problems)
    return VenueFile(path, venue)


def load_register(path: Path) -> Register:
    """Reads a file of acts. Raises VenueFileError."""
    content, document = _parsed(path, schema.Register)
    if not is_id(content.venue):
        problem = Problem(
            document.line(("venue",)), "venue", f"{content.venue[:64]!r} is no id; ids are 1 to 63 of a-z, 0-9 and '-'"
        )
        raise VenueFileError(path, [problem])
    return Register(path, content, document)


def _parsed(path: Path, model: type[Content]) -> tuple[Content, Document]:
    try:
        document = read(_content(path))
    except UnreadableError as error:
        raise VenueFileError(path, [error.problem]) from error
    context: dict[int, type[Part]] = {}
    try:
        return model.model_validate(document.value, context=context), document
    except ValidationError as error:
        raise VenueFileError(path, [*document.problems, *problems_of_form(error, document, context)]) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}; name a venue file", ExitCode.BAD_INPUT) from error


def _message(path: Path, problem: Problem) -> str:
    where = f"{path}:{problem.line}:"
    return f"{where} {problem.field}: {problem.description}" if problem.field else f"{where} {problem.description}"
