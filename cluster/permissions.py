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


@dataclass(frozen=True, slots=True)
class Lease:
    """What a camera may be analysed for until the lease is renewed or runs out, whatever the acts in it say.

    Whoever cannot hear of a suspension stops by itself in time. The lease is told by a clock that never goes back: setting the
    machine's clock prolongs none.

    Attributes:
        permissions: the acts that allow it.
        granted_s: from when on they are known to hold.
        until_s: when it runs out, exclusive.
    """

    permissions: tuple[Permission, ...]
    granted_s: float
    until_s: float

    def holds(self, clock_s: float) -> bool:
        """Whether it has not run out."""
        return clock_s < self.until_s

    def with_acts(self, permissions: Iterable[Permission], clock_s: float) -> "Lease":
        """The same lease under other acts, of which was heard at this moment."""
        return Lease(tuple(permissions), clock_s, self.until_s)

    def renewed(self, newer: "Lease") -> "Lease":
        """What holds once another lease has come; this one, if more was heard since the other was granted."""
        return newer if newer.granted_s >= self.granted_s else self

    def permitted_kinds(self, now_s: float, clock_s: float) -> frozenset[Kind]:
        """The kinds for which some act is in force; none once it has run out."""
        return permitted_kinds(self.permissions, now_s) if self.holds(clock_s) else frozenset()


def permitted_kinds(permissions: Iterable[Permission], now_s: float) -> frozenset[Kind]:
    """The kinds for which some act is in force at this moment; empty means that the camera must not be analysed."""
    return frozenset().union(*(act.kinds for act in permissions if act.start_s <= now_s < act.end_s))
