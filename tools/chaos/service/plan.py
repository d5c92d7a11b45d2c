"""What the processes of a run know in common."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from tools.rehearsal.signals import Script
from tools.rehearsal.site import Site


@dataclass(frozen=True, slots=True)
class Plan:
    """A run.

    Attributes:
        folder: of everything that it leaves behind.
        addresses: of the replicas.
        seed: of all that is random.
        clusters: how many there are, one a venue.
        signals: of all clusters together.
        end_time: before which all signals open, in ISO 8601.
        pace_s: time from one batch of a cluster to the next, at least.
    """

    folder: str
    addresses: tuple[str, ...]
    seed: int
    clusters: int
    signals: int
    end_time: str
    pace_s: float = 0.0

    @property
    def site(self) -> Site:
        """Where it takes place."""
        return Site(Path(self.folder), self.clusters)

    def script(self, cluster: int) -> Script:
        """What a cluster reports: its share of all signals."""
        share = self.signals // self.clusters + (cluster < self.signals % self.clusters)
        return Script(self.seed, cluster, self.site.cameras, share, datetime.fromisoformat(self.end_time))

    def write(self) -> Path:
        """Puts it where the other processes read it."""
        path = Path(self.folder) / "plan.json"
        path.write_text(json.dumps(asdict(self)))
        return path


def read_plan(path: Path) -> Plan:
    """The plan of a file."""
    fields = json.loads(path.read_text())
    return Plan(**fields | {"addresses": tuple(fields["addresses"])})
