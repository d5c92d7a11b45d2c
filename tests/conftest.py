"""What every test may use."""

import os
import signal
from pathlib import Path

import pytest

# gRPC's handlers around fork() crash a child now and then while its threads run; tests start processes all the time.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of labelled footage and reference models beside the project; skips the test where it is not.

    In CI it is always there, and its absence is a failure.
    """
    if not (SHARED / "footage").is_dir():
        reason = f"needs the labelled footage in {SHARED}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED
