"""`vigie audit verify`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from services.coordination.domain.audit import Break, Chain
from tools.audit.reading import Log, anchor_of, entry_of, exported_log, fetched_log
from tools.connection import DEFAULT_ADDRESS, Address, connected
from tools.errors import CommandError, ExitCode
from vigie.v1 import audit_service_pb2

_SHOWN_EVERY = 10_000
_MOST_BREAKS = 20
_HASH_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The hash of an entry that somebody noted."""

    number: int
    hash: str


def _checkpoint(written: str) -> Checkpoint:
    number, _, hash_ = written.partition(":")
    if not number.isdecimal() or len(hash_) != _HASH_DIGITS:
        raise typer.BadParameter(f"{written!r} is no checkpoint; write NUMBER:HASH as an earlier run printed it")
    return Checkpoint(int(number), hash_.lower())


Checkpoints = Annotated[
    list[Checkpoint],
    typer.Option("--checkpoint", parser=_checkpoint, metavar="NUMBER:HASH", help="Noted earlier; may be repeated."),
]


def verify_log(
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="An export, instead of what the service says.")] = None,
    checkpoint: Checkpoints = [],  # noqa: B006 - typer copies it
    coordination: Address = DEFAULT_ADDRESS,
) -> None:
    """Verifies the log here, entry by entry, without trusting the service; fails if one was changed, removed or moved.

    Whoever can write to the database can write the whole log anew, or cut its end off. Only a hash that was noted elsewhere
    before shows that: note the checkpoint that is printed, and give it to a later run.

    Example: vigie audit verify --checkpoint 1204:5c1f…
    """
    with _opened(file, coordination) as log:
        verification = Verification(log, {noted.number: noted.hash for noted in checkpoint})
        breaks = verification.run(Console(stderr=True))
    for found in breaks:
        print(found)
    if breaks:
        more = ", and perhaps more" if len(breaks) >= _MOST_BREAKS else ""
        raise CommandError(f"the audit log is not what was written: {len(breaks)} problems{more}")
    print(verification.summary())


@contextmanager
def _opened(file: Path | None, address: str) -> Iterator[Log]:
    if file is None:
        with connected(address) as channel:
            yield fetched_log(channel, audit_service_pb2.ListAuditEntriesRequest())
        return
    try:
        with file.open(encoding="utf-8") as lines:
            yield exported_log(file, lines)
    except OSError as error:
        raise CommandError(
            f"{file}: {error.strerror}; name a file that `vigie audit export` wrote", ExitCode.BAD_INPUT
        ) from error


@dataclass
class Verification:
    """One pass over a log.

    Attributes:
        log: what is verified.
        checkpoints: hashes that were noted earlier, by the numbers of their entries.
    """

    log: Log
    checkpoints: Mapping[int, str]
    _chain: Chain = field(init=False)

    def __post_init__(self) -> None:
        """Begins at the anchor."""
        self._chain = Chain(anchor_of(self.log.anchor))

    def run(self, console: Console) -> list[Break]:
        """What is wrong, the first of it where there is much; meanwhile it says how far it has come."""
        breaks: list[Break] = []
        with console.status("reading") as status:
            for message in self.log.entries:
                breaks += self._chain.follow(entry_of(message))
                breaks += self._differing(message.number, message.hash)
                if message.number % _SHOWN_EVERY == 0:
                    status.update(f"{message.number} of {self.log.last_number} entries")
                if len(breaks) >= _MOST_BREAKS:
                    return breaks[:_MOST_BREAKS]
        return [*breaks, *self._chain.end(self.log.last_number), *self._lost()]

    def summary(self) -> str:
        """What was found where nothing is wrong, and what to note of it."""
        anchor = self.log.anchor
        read = f"Entries {anchor.number + 1} to {self._chain.number} are as they were written."
        if self._chain.number == anchor.number:
            return "There are no entries."
        lines = [read]
        if anchor.number:
            when = anchor.erase_time.ToDatetime().strftime("%Y-%m-%d %H:%M")
            lines.append(f"Entries up to {anchor.number} were erased by {anchor.author} on {when} UTC.")
        lines += [f"Checkpoint {number} was erased since: it proves nothing any more." for number in self._erased()]
        lines.append(f"Note this where the service cannot change it: --checkpoint {self._chain.number}:{self._chain.hash}")
        return "\n".join(lines)

    def _differing(self, number: int, hash_: str) -> Iterator[Break]:
        if self.checkpoints.get(number, hash_) != hash_:
            yield Break(number, "is not the one whose checkpoint was noted: the log was written anew up to there")

    def _lost(self) -> Iterator[Break]:
        """What checkpoints say beyond the entries that were read."""
        anchor = self.log.anchor
        yield from self._differing(anchor.number, anchor.hash)
        for number in self.checkpoints:
            if number > self.log.last_number:
                yield Break(
                    number, f"is missing at the end, though its checkpoint was noted: there are only {self.log.last_number}"
                )

    def _erased(self) -> list[int]:
        return [number for number in self.checkpoints if number < self.log.anchor.number]
