"""What is compared: the clips as they are with all parts of the rules, and ways to change the one or the other."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from cluster.config import KINDS
from tools.errors import CommandError, ExitCode
from tools.evaluate.conditions import CONDITIONS, UNCHANGED
from vigie.vocabulary import Kind

EACH = "each"


@dataclass(frozen=True, slots=True)
class Variation:
    """One way to run the clips.

    Attributes:
        under: name of the condition under which they are shown.
        without: parts of the rules that are switched off.
    """

    under: str = UNCHANGED
    without: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds that it may change."""
        return kinds_of(self.without) if self.without else frozenset(Kind)

    def __str__(self) -> str:
        under = "" if self.under == UNCHANGED else f"under {self.under}"
        without = f"without {', '.join(sorted(self.without))}" if self.without else ""
        return " ".join(filter(None, (under, without))) or UNCHANGED


PLAIN = Variation()


def kinds_of(parts: Iterable[str]) -> frozenset[Kind]:
    """The kinds whose rules have such parts."""
    return frozenset(Kind[part.partition(".")[0].upper()] for part in parts)


def known_parts(kinds: Iterable[Kind]) -> Mapping[str, str]:
    """The cues and vetoes of some kinds that can be switched off, and what each is for."""
    watched = {kind.name.lower() for kind in kinds}
    return {part: why for kind, rule in KINDS.items() if kind in watched for part, why in rule.PARTS.items()}


def variations(under: Sequence[str], without: Sequence[str], kinds: Iterable[Kind]) -> list[Variation]:
    """Those that the options ask for, the plain one first. Raises CommandError for a name that is not known."""
    conditions = _chosen("--under", under, {name: condition.meaning for name, condition in CONDITIONS.items()})
    parts = _chosen("--without", without, known_parts(kinds))
    ablations = [{part} for part in parts] if EACH in without else [set(parts)]
    every = product([UNCHANGED, *conditions], [set[str](), *ablations])
    return list(dict.fromkeys(Variation(condition, frozenset(off)) for condition, off in every))


def _chosen(option: str, names: Sequence[str], known: Mapping[str, str]) -> list[str]:
    unknown = [name for name in names if name not in known and name != EACH]
    if unknown:
        table = "\n".join(f"  {name}: {meaning}" for name, meaning in known.items()) or "  nothing"
        raise CommandError(f"{option} {unknown[0]}: is not known; there are `{EACH}` and\n{table}", ExitCode.BAD_INPUT)
    return list(known) if EACH in names else list(dict.fromkeys(names))
