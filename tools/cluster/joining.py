"""How commands join a cluster that is at work."""

from typing import TYPE_CHECKING, Annotated

import typer

from tools.log import configure_log
from tools.ray_head import check_head

if TYPE_CHECKING:
    from cluster.runtime.attached import AttachedCluster

RayAddress = Annotated[
    str, typer.Option("--ray-address", metavar="HOST:PORT", envvar="RAY_ADDRESS", help="Head of the cluster's Ray.")
]


def joined(ray_address: str) -> "AttachedCluster":
    """The cluster at an address. Raises CommandError where nothing listens, and ClusterError where that is no Ray."""
    configure_log()
    check_head(ray_address, otherwise="name the one that `vigie run --ray-address` was given")
    from cluster.runtime.attached import AttachedCluster  # Ray takes a while to import

    return AttachedCluster(ray_address)
