"""`vigie doctor`."""

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from cluster.config import ClusterConfig
from tools.connection import DEFAULT_ADDRESS, AsJson
from tools.display import console
from tools.doctor.checks import Finding, Verdict, carried_out
from tools.doctor.identity import identity_checks
from tools.doctor.machine import machine_checks
from tools.doctor.service import service_checks
from tools.errors import ExitCode
from vigie.identity import DEVELOPER, chosen_proof

_STYLES = {Verdict.GOOD: "green", Verdict.WARNING: "yellow", Verdict.FAILURE: "bold red"}


def doctor(
    coordination: Annotated[
        str | None,
        typer.Option(
            envvar="VIGIE_COORDINATION", metavar="HOST:PORT", help=f"The service that must answer. Else {DEFAULT_ADDRESS} may."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Looks for what is wrong with this machine and the service, and says what to do. Fails if anything is.

    Example: vigie doctor --coordination 127.0.0.1:7430
    """
    config = ClusterConfig.from_environment(os.environ)
    proof, is_expected = chosen_proof(os.environ, DEVELOPER), coordination is not None
    checks = {
        **machine_checks(config.state_dir, config.pack, config.weapon_pack),
        **identity_checks(proof, is_expected=is_expected),
        **service_checks(coordination or DEFAULT_ADDRESS, proof, is_expected=is_expected),
    }
    findings = [finding for subject, check in checks.items() for finding in carried_out(subject, check)]
    if as_json:
        for finding in findings:
            print(json.dumps(asdict(finding) | {"verdict": finding.verdict.value}, ensure_ascii=False))
    else:
        console().print(_table(findings))
    if any(finding.verdict is Verdict.FAILURE for finding in findings):
        raise typer.Exit(ExitCode.FAILED)


def _table(findings: list[Finding]) -> Table:
    table = Table("looked at", "", "found", "what to do", box=box.SIMPLE)
    for finding in findings:
        verdict = Text(finding.verdict.value, style=_STYLES[finding.verdict])
        table.add_row(finding.subject, verdict, finding.found, finding.advice)
    return table
