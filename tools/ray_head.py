"""The head of a Ray cluster that a command is to join."""

import socket

from tools.errors import CommandError, ExitCode

HEAD_S = 5.0


def check_head(address: str, *, otherwise: str) -> None:
    """Raises CommandError where nothing listens: Ray itself would look for it for minutes. `otherwise`: what to do then."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise CommandError(f"--ray-address {address!r} is no address; write HOST:PORT, such as 10.0.0.1:6379", ExitCode.BAD_INPUT)
    try:
        socket.create_connection((host, int(port)), HEAD_S).close()
    except (OSError, OverflowError) as error:
        problem = f"the head of a Ray cluster does not answer at {address} ({error}); {otherwise}"
        raise CommandError(problem, ExitCode.UNREACHABLE) from error
