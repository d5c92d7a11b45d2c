"""The acts under which a camera may be analysed, as its owner enforces them (loi 2023-380, article 10)."""

from collections.abc import Iterable
from dataclasses import dataclass

from vigie.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Permission:
    """One act's consent to the analysis of one camera.

    Attributes:
        reference: of the act.
        start_s: when it begins, in seconds since the epoch.
        end_s: when it ends, exclusive.
        kinds: what may be looked for.
    """

    reference: str
    start_s: float
    end_s: float
    kinds: frozenset[Kind]


def permitted_kinds(permissions: Iterable[Permission], now_s: float) -> frozenset[Kind]:
    """The kinds for which some act is in force at this moment; empty means that the camera must not be analysed."""
    return frozenset().union(*(act.kinds for act in permissions if act.start_s <= now_s < act.end_s))
