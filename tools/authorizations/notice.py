"""`vigie authorizations notice`: what the public is told of the acts of a venue (loi 2023-380, article 10; décret 2023-828)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tools.authorizations.naming import venue_on_record
from tools.authorizations.wording import LANGUAGES, Wording, wording
from tools.connection import DEFAULT_ADDRESS, Address, connected
from tools.display import last_id
from tools.errors import CommandError, ExitCode
from vigie.names import is_id, venue_name
from vigie.v1 import authorizations_pb2, venues_pb2
from vigie.v1.authorizations_pb2 import Authorization
from vigie.vocabulary import Kind

_FORMATS = {".md": "notice.md.jinja", ".html": "notice.html.jinja"}
_NAMED_PLACES = 30
# What would be taken for markup where it stands in the middle of a line.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#+!|~&])")


@dataclass(frozen=True, slots=True)
class ActNotice:
    """What is told of one act: a heading, what to know first if anything, and facts by their names."""

    heading: str
    remark: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the notice that is the same for all acts."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """All that the public is told."""

    language: str
    title: str
    introduction: str
    acts: tuple[ActNotice, ...]
    sections: tuple[Section, ...]
    drawn_up: str


def notice(
    venue: Annotated[str, typer.Argument(metavar="VENUE", help="Id of the venue.")],
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it: a name that ends in .html or .md.")] = None,
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help=f"One of {', '.join(LANGUAGES)}.")] = "fr",
    coordination: Address = DEFAULT_ADDRESS,
) -> None:
    """Writes what the public is to be told of the acts of a venue that are not over, in Markdown or HTML.

    Example: vigie authorizations notice arena --out notice.html
    """
    venue_id = venue.removeprefix("venues/")
    if not is_id(venue_id):
        raise typer.BadParameter(f"{venue!r} is no venue's id; ids are 1 to 63 of a-z, 0-9 and '-'")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"{language!r} is no language of the notice; languages are {', '.join(LANGUAGES)}")
    if out is not None and out.suffix not in _FORMATS:
        raise typer.BadParameter(f"{out}: write a name that ends in {' or '.join(_FORMATS)}")
    with connected(coordination) as channel:
        found = venue_on_record(channel, venue_name(venue_id))
    if not found.authorizations:
        problem = f"{found.name} has no act that is in force or to come: nothing may be analysed, and there is nothing to tell"
        raise CommandError(f"{problem}; record one with `vigie authorizations record`", ExitCode.NOT_FOUND)
    text = page(notice_of(found, language, datetime.now(UTC)), out.suffix if out else ".md")
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{out}: cannot be written: {error.strerror}; name another file", ExitCode.BAD_INPUT) from error
    print(out)


def page(notice: Notice, suffix: str) -> str:
    """The notice in the format that a file's suffix stands for, .md or .html."""
    environment = Environment(
        loader=PackageLoader("tools.authorizations", "."),
        autoescape=select_autoescape(("html.jinja",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = _plain
    return environment.get_template(_FORMATS[suffix]).render(notice=notice)


def notice_of(venue: venues_pb2.Venue, language: str, now: datetime) -> Notice:
    """What is told of a venue's acts, in one of LANGUAGES."""
    words, zone = wording(language), ZoneInfo(venue.time_zone)
    acts = sorted(venue.authorizations, key=lambda act: act.start_time.ToNanoseconds())
    contacts = "; ".join(dict.fromkeys(act.contact or act.controller for act in acts))
    return Notice(
        language=language,
        title=words.title.format(venue=venue.display_name or last_id(venue.name)),
        introduction=words.introduction,
        acts=tuple(_act(act, venue, words, zone) for act in acts),
        sections=(
            Section(words.done_heading, items=words.done),
            Section(words.undone_heading, items=words.undone),
            Section(words.rights_heading, paragraphs=tuple(text.format(contact=contacts) for text in words.rights)),
            Section(words.complaint_heading, paragraphs=(words.complaint,)),
        ),
        drawn_up=words.drawn_up.format(moment=words.time(now.astimezone(zone)), zone=venue.time_zone),
    )


def _act(act: Authorization, venue: venues_pb2.Venue, words: Wording, zone: tzinfo) -> ActNotice:
    remarks = {
        authorizations_pb2.AUTHORIZATION_STATE_SUSPENDED: words.suspended,
        authorizations_pb2.AUTHORIZATION_STATE_PARTLY_SUSPENDED: words.partly_suspended,
    }
    start, end = (words.time(time.ToDatetime(UTC).astimezone(zone)) for time in (act.start_time, act.end_time))
    period = words.period_text.format(start=start, end=end, zone=venue.time_zone)
    facts = (
        (words.controller, act.controller),
        (words.motive, act.motive),
        (words.period, period),
        (words.places, _places(act, venue, words)),
        (words.kinds, ", ".join(words.kind(Kind(kind)) for kind in act.kinds)),
        (words.contact, act.contact or act.controller),
    )
    return ActNotice(words.act.format(reference=act.reference), remarks.get(act.state, ""), facts)


def _places(act: Authorization, venue: venues_pb2.Venue, words: Wording) -> str:
    """How many cameras, and their names where they have some that are meant for people."""
    count = words.one_camera if len(act.cameras) == 1 else words.many_cameras.format(count=len(act.cameras))
    names = list(dict.fromkeys(_names(act, venue)))
    return f"{count} ({', '.join(names)})" if 0 < len(names) <= _NAMED_PLACES else count


def _names(act: Authorization, venue: venues_pb2.Venue) -> Iterator[str]:
    for camera in venue.cameras:
        if camera.name in act.cameras and camera.display_name not in ("", last_id(camera.name)):
            yield camera.display_name


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
