"""Who calls: a name, and what it is granted."""

from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

ALL_VENUES = "*"


class Role(StrEnum):
    """What a caller is. Each role may call only what the table of access says."""

    OPERATOR = "operator"
    """Judges the events of venues."""
    SUPERVISOR = "supervisor"
    """Answers for operators: judges, inserts drills, reads reports."""
    AUTHORITY = "authority"
    """Records, suspends and revokes acts (loi 2023-380, article 10)."""
    AUDITOR = "auditor"
    """Reads the registers, the audit log and the evaluation."""
    ADMINISTRATOR = "administrator"
    """Sets up venues, cameras and destinations."""
    CLUSTER = "cluster"
    """Analyses cameras: takes assignments, reports signals and health."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at one venue, by its id, or at all of them, ALL_VENUES."""

    role: Role
    venue: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls.

    Attributes:
        name: under which it stands in the audit log, such as `certificate:ada` or `token:https://login.example#ada`.
        grants: what it may do, and where.
        known: whether it proved who it is; False where the service listens to this machine only and knows nobody.
    """

    name: str
    grants: frozenset[Grant]
    known: bool = True

    def may(self, roles: Collection[Role], venue: str) -> bool:
        """Whether it has one of these roles at a venue (an id, or ALL_VENUES for all that there are)."""
        return any(grant.role in roles and grant.venue in (venue, ALL_VENUES) for grant in self.grants)

    def venues(self, roles: Collection[Role]) -> frozenset[str] | None:
        """Ids of the venues at which it has one of these roles; None means all."""
        venues = frozenset(grant.venue for grant in self.grants if grant.role in roles)
        return None if ALL_VENUES in venues else venues


def anonymous(name: str) -> Caller:
    """A caller of a service that knows nobody, and therefore listens to its own machine only: it may do everything."""
    return Caller(name, frozenset(Grant(role, ALL_VENUES) for role in Role), known=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is being answered.

    Attributes:
        caller: who makes it.
        venues: ids of the venues at which the caller may make it; None means all.
    """

    caller: Caller
    venues: frozenset[str] | None


_call: ContextVar[Call] = ContextVar("call")


def begin(call: Call) -> None:
    """Says which call this task answers."""
    _call.set(call)


def current() -> Call:
    """The call that this task answers. Raises LookupError outside of calls."""
    return _call.get()
