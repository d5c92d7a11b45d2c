from collections.abc import Callable

import pytest

from tests.tools.conftest import Outcome
from tools.errors import ExitCode


@pytest.mark.parametrize("command", [("cluster", "status"), ("cluster", "drain", "10.0.0.7")])
@pytest.mark.parametrize(
    ("address", "code", "problem"),
    [("here", ExitCode.BAD_INPUT, "write HOST:PORT"), ("127.0.0.2:1", ExitCode.UNREACHABLE, "does not answer at 127.0.0.2:1")],
)
def test_head_that_cannot_be_joined_is_said_to_be_so(
    vigie: Callable[..., Outcome], command: tuple[str, ...], address: str, code: ExitCode, problem: str
) -> None:
    outcome = vigie(*command, "--ray-address", address)

    assert outcome.code == code
    assert problem in outcome.err
