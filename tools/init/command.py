"""`vigie init`: makes identities, and says which there are and when they end."""

import json
import os
import re
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from services.coordination.access.caller import ALL_VENUES, Grant, Role
from tools.connection import AsJson
from tools.display import console
from tools.errors import CommandError, ExitCode
from tools.init.certificates import LIFE, Subject, caller
from tools.init.folder import (
    CLUSTERS,
    PEOPLE,
    Standing,
    grant_name,
    make_identities,
    make_identity,
    make_local_authority,
    named_identities,
    standing,
)
from vigie.identity import DEVELOPER, GRANT_PREFIX, IdentityError, identity_home
from vigie.names import is_id

MOST_DAYS = 397
_HOST = re.compile(
    r"(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*|[0-9a-f:.]+", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        envvar="VIGIE_IDENTITY_DIR",
        metavar="FOLDER",
        help="Where identities are kept; else in a folder of the user's own.",
    ),
]
Out = Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Where to write it, instead.")]
Days = Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="How long it counts.")]
Renew = Annotated[bool, typer.Option("--renew", help="Replace what is there, although it does not end within 30 days.")]


def _host(text: str) -> str:
    if not _HOST.fullmatch(text) or len(text) > 253:
        raise typer.BadParameter(f"{text!r} is no host name and no address")
    return text


def _grant(text: str) -> str:
    role, _, venue = text.partition(":")
    roles = [each for each in Role if each is not Role.CLUSTER]
    if role not in roles:
        raise typer.BadParameter(f"{role!r} is no role of a person; roles are {', '.join(roles)}")
    return grant_name(Grant(Role(role), _venue(venue)))


def _venue(text: str) -> str:
    if text != ALL_VENUES and not is_id(text):
        raise typer.BadParameter(f"{text!r} is no venue's id; name one, or '*' for all")
    return text


def _person(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is no name; write 1 to 64 letters, digits and . _ @ -")
    return text


def _cluster(text: str) -> str:
    if not is_id(text):
        raise typer.BadParameter(f"{text!r} is no id; write 1 to 63 of a-z, 0-9 and '-', the same as in VIGIE_CLUSTER")
    return text


def init(
    context: typer.Context,
    folder: Folder = None,
    hosts: Annotated[
        list[str], typer.Option("--host", parser=_host, metavar="HOST", help="The service is found here, too; may be repeated.")
    ] = [],  # noqa: B006 - typer copies it
    renew: Renew = False,
    as_json: AsJson = False,
) -> None:
    """Makes an authority of your own, and with it the identities of a service, a cluster and a developer on this machine.

    What is there is kept, and renewed when it ends within 30 days. The authority's key, ca.key, makes anyone
    anything: nobody must have it who does not make identities.

    Example: vigie init --host coordination.example
    """
    if context.invoked_subcommand:
        return
    home = folder or identity_home(os.environ)
    made = make_identities(home, hosts=[*_own_host(), *hosts], now=datetime.now(UTC), renew=renew)
    _show([*made, *named_identities(home)], as_json=as_json)
    if not as_json:
        print(f"{home / DEVELOPER} may do everything at every venue: it is for development, on this machine. Make others with")
        print("  vigie init person NAME --role operator:VENUE")
        print("  vigie init cluster NAME --venue VENUE")


def person(
    name: Annotated[
        str, typer.Argument(parser=_person, metavar="NAME", help="Under which the record keeps what the person does.")
    ],
    grants: Annotated[
        list[str],
        typer.Option("--role", parser=_grant, metavar="ROLE:VENUE", help="What the person may do, and where; may be repeated."),
    ],
    folder: Folder = None,
    out: Out = None,
    days: Days = LIFE.days,
    renew: Renew = False,
    as_json: AsJson = False,
) -> None:
    """Makes the identity of a person: the folder to hand over, and to name in VIGIE_IDENTITY.

    Example: vigie init person ada --role operator:arena --role auditor:'*'
    """
    home = folder or identity_home(os.environ)
    made = _named(home, out or home / PEOPLE / name, caller(name, grants), timedelta(days=days), renew=renew)
    _show([made], as_json=as_json)


def cluster(
    name: Annotated[str, typer.Argument(parser=_cluster, metavar="NAME", help="The cluster's id, as in VIGIE_CLUSTER.")],
    venues: Annotated[
        list[str], typer.Option("--venue", parser=_venue, metavar="VENUE", help="Whose cameras it analyses; may be repeated.")
    ],
    folder: Folder = None,
    out: Out = None,
    days: Days = LIFE.days,
    renew: Renew = False,
    as_json: AsJson = False,
) -> None:
    """Makes the identity of a cluster: the folder to put on its machines, and to name in VIGIE_IDENTITY there.

    Example: vigie init cluster arena-1 --venue arena --days 30
    """
    home = folder or identity_home(os.environ)
    subject = caller(name, [grant_name(Grant(Role.CLUSTER, venue)) for venue in venues])
    made = _named(home, out or home / CLUSTERS / name, subject, timedelta(days=days), renew=renew)
    _show([made], as_json=as_json)


def _named(home: Path, folder: Path, subject: Subject, life: timedelta, *, renew: bool) -> Standing:
    held = standing(folder)
    if held and held.subject != subject and not renew:
        problem = f"{folder} is for {held.subject.name}, who may {_grants(held.subject)}"
        raise CommandError(f"{problem}; replace it with --renew, or write another with --out", ExitCode.CONFLICT)
    now = datetime.now(UTC)
    if not (home / "ca.key").exists():
        raise IdentityError(f"{home} holds no authority; make one with `vigie init`, or name its folder with --folder")
    return make_identity(folder, subject, make_local_authority(home, now=now), now=now, life=life, renew=renew)


def _own_host() -> Iterable[str]:
    name = socket.gethostname()
    return [name] if _HOST.fullmatch(name) else []


def _show(standings: Iterable[Standing], *, as_json: bool) -> None:
    if as_json:
        for each in standings:
            print(json.dumps(_fields(each), ensure_ascii=False))
        return
    table = Table("identity", "of", "may do, or is found at", "ends", "", box=box.SIMPLE)
    for each in standings:
        end = f"{each.end_time:%Y-%m-%d %H:%M} UTC"
        table.add_row(str(each.folder), each.subject.name, _grants(each.subject), end, each.deed.value)
    console().print(table)


def _fields(each: Standing) -> dict[str, object]:
    return {
        "folder": str(each.folder),
        "name": each.subject.name,
        "alternatives": each.subject.texts(),
        "end_time": each.end_time.isoformat(),
        "serial": each.serial,
        "deed": each.deed.value,
    }


def _grants(subject: Subject) -> str:
    return " ".join(text.removeprefix(GRANT_PREFIX) for text in subject.texts())
