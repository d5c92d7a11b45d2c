from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools.conftest import Outcome
from tools.errors import ExitCode


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing was made yet."""
    for name in ("VIGIE_TLS_DIR", "VIGIE_ANONYMOUS", "VIGIE_ADDRESS", "VIGIE_OIDC_ISSUER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIGIE_IDENTITY_DIR", str(tmp_path / "identity"))
    monkeypatch.setenv("VIGIE_DATABASE_URL", f"sqlite:///{tmp_path / 'vigie.db'}")
    monkeypatch.setenv("VIGIE_EVIDENCE", str(tmp_path / "evidence"))
    monkeypatch.setenv("VIGIE_EVIDENCE_KEY", "00" * 32)


@pytest.mark.usefixtures("bare")
def test_a_service_that_cannot_prove_itself_does_not_start(vigie: Callable[..., Outcome]) -> None:
    outcome = vigie("serve", "--listen", "127.0.0.1:0")
    assert outcome.code == ExitCode.BAD_INPUT
    assert "vigie init" in outcome.err
    assert "--anonymous" in outcome.err


@pytest.mark.usefixtures("bare")
def test_no_other_machine_is_served_anonymously(vigie: Callable[..., Outcome]) -> None:
    outcome = vigie("serve", "--listen", "0.0.0.0:0", "--anonymous")
    assert outcome.code == ExitCode.BAD_INPUT
    assert "neither known nor encrypted" in outcome.err


@pytest.mark.usefixtures("bare")
def test_tokens_of_nobody_are_not_waited_for(vigie: Callable[..., Outcome]) -> None:
    outcome = vigie("serve", "--listen", "127.0.0.1:0", "--token-listen", "127.0.0.1:0")
    assert outcome.code == ExitCode.BAD_INPUT
    assert "VIGIE_OIDC_ISSUER" in outcome.err
