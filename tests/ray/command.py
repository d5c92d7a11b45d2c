"""`vigie run` in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.ray.world import World


@contextmanager
def running(world: World, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """`vigie run` in a process of its own, which has ended at the end."""
    arguments = [sys.executable, "-m", "tools.main", "run", "--json", *options]
    environment = {**os.environ, **world.environment}
    with (world.folder / "run.log").open("a") as log:
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def end_of(process: "subprocess.Popen[str]") -> tuple[int, Any]:
    """The exit status of a command, and what the last line that it printed says; every line is JSON."""
    output, _ = process.communicate(timeout=60)
    return process.returncode, [json.loads(line) for line in output.splitlines()][-1]
