import json
from collections.abc import Callable
from pathlib import Path

from tests.tools.conftest import Outcome
from tools.doctor.checks import Verdict
from tools.doctor.service import service_checks
from tools.errors import ExitCode
from vigie.identity import NOTHING, Proof

NOBODY = "127.0.0.1:1"


def test_service_that_answers_is_good(vigie: Callable[..., Outcome], service: str) -> None:
    lines = vigie("doctor", "--json", "--coordination", service).out.splitlines()

    verdicts = {finding["subject"]: finding["verdict"] for finding in map(json.loads, lines)}
    assert [verdicts[subject] for subject in ("coordination service", "your identity", "its database", "clock")] == ["good"] * 4


def test_service_that_was_named_must_answer(vigie: Callable[..., Outcome]) -> None:
    outcome = vigie("doctor", "--coordination", NOBODY)

    assert outcome.code == ExitCode.FAILED
    assert "start it with `vigie serve`" in outcome.out


def test_service_that_nobody_named_may_be_absent() -> None:
    (check,) = service_checks(NOBODY, NOTHING, is_expected=False).values()

    assert [finding.verdict for finding in check()] == [Verdict.WARNING]


def test_service_is_not_called_without_an_identity(tmp_path: Path) -> None:
    (check,) = service_checks(NOBODY, Proof(tmp_path), is_expected=True).values()

    (finding,) = check()
    assert (finding.verdict, finding.advice) == (Verdict.FAILURE, "see to the identity first")
