"""Whether a group has anything new to say."""

from dataclasses import replace

from cluster.runtime.status import GroupStatus


class Editions:
    """Stamps what a group says with another edition whenever something is new, but for how each camera does.

    Args:
        process: tells its process apart from others that had or will have the same name.
    """

    def __init__(self, process: str) -> None:
        self._process = process
        self._count = 0
        self._said: object = None

    def stamped(self, status: GroupStatus) -> GroupStatus:
        """The same with its edition."""
        says = (status.holdings, status.standbys, status.superseded, status.shards, status.problems, status.undelivered == 0)
        if says != self._said:
            self._count, self._said = self._count + 1, says
        return replace(status, edition=f"{self._process}-{self._count}")
