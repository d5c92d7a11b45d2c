from random import Random

from tools.chaos.cluster.faults import FAULTS, deck


def test_every_fault_happens_as_often_as_any_other_give_or_take_one() -> None:
    drawn = deck(FAULTS, 30, Random(3))
    counts = {drawn.count(fault) for fault in FAULTS}
    assert len(drawn) == 30
    assert counts <= {1, 2}


def test_same_seed_gives_the_same_order() -> None:
    assert deck(FAULTS, 30, Random(3)) == deck(FAULTS, 30, Random(3)) != deck(FAULTS, 30, Random(4))
