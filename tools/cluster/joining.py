"""How commands join a cluster that is at work."""

from typing import TYPE_CHECKING, Annotated

import typer

from tools.errors import CommandError, ExitCode
from tools.log import configure_log

if TYPE_CHECKING:
    from cluster.runtime.attached import AttachedCluster

RayAddress = Annotated[
    str, typer.Option("--ray-address", metavar="HOST:PORT", envvar="RAY_ADDRESS", help="Head of the cluster's Ray.")
]


def joined(ray_address: str) -> "AttachedCluster":
    """The cluster at an address. Raises CommandError where nothing listens, and ClusterError where that is no Ray."""
    configure_log()
    from cluster.runtime.attached import AttachedCluster  # Ray takes a while to import
    from cluster.runtime.names import is_listening

    if not is_listening(ray_address):
        problem = f"the head of a Ray cluster does not answer at {ray_address!r}; write HOST:PORT, such as 10.0.0.1:6379"
        raise CommandError(problem, ExitCode.UNREACHABLE)
    return AttachedCluster(ray_address)
