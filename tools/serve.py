"""`vigie serve`: runs the coordination service."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from services.coordination.config import service_config
from tools.log import configure_log


def serve(
    listen: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/NAME.")] = None,
    evidence: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where evidence pictures are kept.")] = None,
    migrate: Annotated[
        bool,
        typer.Option("--migrate", help="Bring a PostgreSQL database up to date first; replicas leave that to `vigie migrate`."),
    ] = False,
    insecure_remote: Annotated[
        bool, typer.Option("--insecure-remote", help="Let other machines reach it, although callers are not identified.")
    ] = False,
) -> None:
    """Runs the coordination service until it is stopped.

    What is not given comes from VIGIE_ADDRESS, VIGIE_DATABASE_URL, VIGIE_EVIDENCE_DIR and VIGIE_INSECURE_REMOTE.

    Example: vigie serve --listen 127.0.0.1:7430 --database sqlite:///vigie.db
    """
    from services.coordination.main import serve as serve_until_stopped  # the database layer takes a while to import

    usual = service_config(os.environ)
    config = replace(
        usual,
        address=listen or usual.address,
        database_url=database or usual.database_url,
        evidence_dir=evidence or usual.evidence_dir,
        migrate=migrate,
        insecure_remote=insecure_remote or usual.insecure_remote,
    )
    configure_log()
    asyncio.run(serve_until_stopped(config))
