"""`vigie serve`: runs the coordination service."""

import asyncio
import os
import resource
from dataclasses import replace
from typing import Annotated

import typer

from services.coordination.config import service_config
from services.coordination.evidence.settings import evidence_place
from tools.log import configure_log

_CONNECTIONS = 16_384


def serve(
    listen: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")] = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/NAME.")] = None,
    evidence: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Where evidence pictures are kept; s3://BUCKET/PREFIX does as well.")
    ] = None,
    migrate: Annotated[
        bool,
        typer.Option("--migrate", help="Bring a PostgreSQL database up to date first; replicas leave that to `vigie migrate`."),
    ] = False,
    token_listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where to listen for people with tokens of VIGIE_OIDC_ISSUER."),
    ] = None,
    anonymous: Annotated[
        bool,
        typer.Option("--anonymous", help="Believe anyone on this machine, without certificates; no other machine is served."),
    ] = False,
) -> None:
    """Runs the coordination service until it is stopped.

    Callers prove who they are with certificates; `vigie init` makes those that this machine needs. What is not given comes from
    the environment: VIGIE_ADDRESS, VIGIE_DATABASE_URL, VIGIE_EVIDENCE, VIGIE_TLS_DIR (the folder of the certificate and of the
    authorities whose certificates are taken), VIGIE_REVOKED_FILE (serial numbers and callers that are taken back, one a line),
    VIGIE_TOKEN_ADDRESS with VIGIE_OIDC_ISSUER, VIGIE_OIDC_AUDIENCE, VIGIE_OIDC_ROLES_CLAIM (vigie_roles) and VIGIE_OIDC_JWKS (the
    issuer's own), VIGIE_LEASE_S (how long clusters go on when they hear nothing, 60) and VIGIE_ANONYMOUS.

    Evidence is encrypted with VIGIE_EVIDENCE_KEY, or the first line of VIGIE_EVIDENCE_KEY_FILE (all of its lines decrypt), else
    the key that `vigie init` made. It is kept for VIGIE_RETENTION_DAYS, 30 at most, that of dismissed events for
    VIGIE_DISMISSED_HOURS, 24 at most.

    Probes are answered, in the clear and nothing else, at VIGIE_HEALTH_ADDRESS: grpc.health.v1 with the services liveness and
    readiness. Once told to stop it is not ready, and serves on for VIGIE_DRAIN_S, 0 by default, before it ends what is open.

    Example: vigie serve --listen 0.0.0.0:7430 --database postgresql://vigie@db/vigie
    """
    from services.coordination.main import serve as serve_until_stopped  # the database layer takes a while to import

    given = {"VIGIE_ADDRESS": listen, "VIGIE_TOKEN_ADDRESS": token_listen, "VIGIE_ANONYMOUS": "1" if anonymous else None}
    usual = service_config(os.environ | {name: value for name, value in given.items() if value})
    config = replace(
        usual,
        database_url=database or usual.database_url,
        evidence=evidence_place(evidence, os.environ) if evidence else usual.evidence,
        migrate=migrate,
    )
    configure_log()
    _allow_connections()
    asyncio.run(serve_until_stopped(config))


def _allow_connections() -> None:
    """Lets the process hold many connections, so that those that do nothing do not keep others out.

    No more than it has memory for: one on which nobody has proved anything yet takes up to 60 KB, for ten seconds.
    """
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS if most == resource.RLIM_INFINITY else min(_CONNECTIONS, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, wanted), most))
