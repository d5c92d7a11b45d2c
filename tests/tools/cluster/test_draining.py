import pytest

from cluster.placement import Node
from cluster.runtime.status import NodeStatus
from tools.cluster.draining import chosen_node
from tools.errors import CommandError

A = NodeStatus(Node("a1" * 28, 2, address="10.0.0.1"))
B = NodeStatus(Node("a2" * 28, 2, address="10.0.0.2"))
LEAVING = NodeStatus(Node("b" * 56, 2, address="10.0.0.3", is_leaving=True))


@pytest.mark.parametrize("name", ["10.0.0.2", "a2", "a2" * 28])
def test_machine_is_named_by_its_address_or_how_its_id_begins(name: str) -> None:
    assert chosen_node([A, B], name) is B


@pytest.mark.parametrize(
    ("nodes", "name", "problem"),
    [
        ([A, B], "10.0.0.9", "is no machine of this cluster"),
        ([A, B], "a", "are 2 machines"),
        ([A, LEAVING], "a1", "the only machine"),
    ],
)
def test_machine_that_cannot_be_drained_is_said_to_be_so(nodes: list[NodeStatus], name: str, problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        chosen_node(nodes, name)
