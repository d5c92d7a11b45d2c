from dataclasses import replace

from cluster.reporting.outbox import OutboxCounts
from cluster.runtime.editions import Editions
from cluster.runtime.status import GroupStatus
from cluster.supervision import Holding, Task

STATUS = GroupStatus("p", 1, "node", 0.0, {}, {}, {}, (), OutboxCounts(), 0)
HOLDING = Holding(1, Task("zones", "acts"))


def test_edition_is_another_when_there_is_something_new_and_only_then() -> None:
    editions = Editions("p")
    first = editions.stamped(STATUS).edition
    assert editions.stamped(replace(STATUS, silent_s=0.2, costs={"c": 0.1})).edition == first
    second = editions.stamped(replace(STATUS, holdings={"c": HOLDING})).edition
    assert second != first
    assert editions.stamped(STATUS).edition not in (first, second)


def test_editions_of_two_processes_of_one_name_differ() -> None:
    assert Editions("p").stamped(STATUS).edition != Editions("q").stamped(STATUS).edition
