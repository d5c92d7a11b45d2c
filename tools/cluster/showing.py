"""`vigie cluster status`."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from rich import box
from rich.table import Table
from rich.text import Text

from cluster.runtime.status import NodeStatus
from tools.cluster.joining import RayAddress, joined
from tools.connection import AsJson
from tools.display import console

SHORT = 12


def status(ray_address: RayAddress, as_json: AsJson = False) -> None:
    """Shows the machines of a cluster: where they are, what cameras they have, and what these take of their cores.

    Example: vigie cluster status --ray-address 10.0.0.1:6379
    """
    with joined(ray_address) as cluster:
        nodes = cluster.status().nodes
    if as_json:
        for node in nodes:
            print(json.dumps(asdict(node)))
    else:
        console().print(_table(nodes))


def _table(nodes: Iterable[NodeStatus]) -> Table:
    table = Table("node", "address", "site", "cores", "GPUs", "groups", "cameras", "of other sites", "load", "", box=box.SIMPLE)
    for each in nodes:
        node = each.node
        table.add_row(
            node.node_id[:SHORT],
            node.address,
            node.site or "-",
            f"{node.cpus:g}",
            f"{node.gpus:g}",
            str(each.groups),
            str(each.cameras),
            str(each.astray or "-"),
            f"{each.cost / node.cpus:.0%}",
            Text("leaving", "yellow") if node.is_leaving else "",
        )
    return table
