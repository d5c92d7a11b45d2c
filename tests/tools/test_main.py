import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cluster.errors import ConfigurationError, StreamEndedError
from services.coordination import errors as coordination
from tools import main
from tools.errors import CommandError, ExitCode
from vigie.identity import IdentityError

HEAVY = ("ray", "onnxruntime", "cv2", "av", "numpy", "sqlalchemy", "grpc")


def test_help_names_every_command_and_every_exit_status() -> None:
    output = CliRunner().invoke(main.app, ["--help"]).output

    assert all(name in output for name in main.COMMANDS)
    assert all(f"{code.value} {code.meaning.split()[0]}" in " ".join(output.split()) for code in ExitCode)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_each_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main.app, [name, "--help"])

    assert result.exit_code == ExitCode.OK, result.output
    assert "Usage" in result.output


def test_help_imports_nothing_heavy() -> None:
    script = f"""
import sys
sys.argv = ["vigie", "--help"]
from tools.main import run
try:
    run()
finally:
    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr.strip() == "[]"


def test_misspelt_command_is_corrected() -> None:
    result = CliRunner().invoke(main.app, ["evnts"])

    assert result.exit_code == ExitCode.USAGE
    assert "Did you mean 'events'" in result.output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandError("no event e-1", ExitCode.NOT_FOUND), ExitCode.NOT_FOUND),
        (ConfigurationError("VIGIE_STATE", "is no folder"), ExitCode.BAD_INPUT),
        (IdentityError("/ada holds no identity; run `vigie init`"), ExitCode.REFUSED),
        (StreamEndedError("rtsp://gate-1", "ended"), ExitCode.FAILED),
        (coordination.UnavailableError("the database cannot be used now"), ExitCode.UNREACHABLE),
        (coordination.ConfigurationError("address 'x': expected HOST:PORT"), ExitCode.BAD_INPUT),
    ],
)
def test_error_is_one_line_and_an_exit_status(
    error: Exception, code: ExitCode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(main, "app", fail)

    with pytest.raises(SystemExit) as ended:
        main.run()

    assert ended.value.code == code
    assert capsys.readouterr().err == f"vigie: {error}\n"
