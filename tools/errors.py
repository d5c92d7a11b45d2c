"""How a command of `vigie` ends."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit status of `vigie`, the same for every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    BAD_INPUT = 3
    UNREACHABLE = 4
    NOT_FOUND = 5
    CONFLICT = 6
    REFUSED = 7

    @property
    def meaning(self) -> str:
        """What it says to whoever called the command."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "wrong usage",
    ExitCode.BAD_INPUT: "a file, value or model cannot be used",
    ExitCode.UNREACHABLE: "no answer from a service",
    ExitCode.NOT_FOUND: "no such thing",
    ExitCode.CONFLICT: "changed by another meanwhile",
    ExitCode.REFUSED: "not known who calls, or not allowed",
}


class CommandError(Exception):
    """A command cannot do what it was asked to do; the message says what, where and what to do."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code
