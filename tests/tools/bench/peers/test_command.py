import pytest

from tools.bench.peers.command import Contender, ratios
from tools.bench.peers.contest import OTHERS, OURS, Showing


def shown(vigie: float, ungated: float, *others: float) -> dict[str, Showing]:
    costs = dict(zip((*OURS, *OTHERS), (vigie, ungated, *others), strict=True))
    return {name: Showing(cost, 5.0) for name, cost in costs.items()}


def test_vigie_is_held_against_the_best_of_each_round() -> None:
    rounds = [shown(0.02, 0.06, 0.08, 0.2, 0.1), shown(0.04, 0.12, 0.2, 0.4, 0.16), shown(0.03, 0.09, 0.12, 0.3, 0.14)]
    assert ratios(rounds) == {"Vigie": 0.25, "Vigie without gating": 0.75}


def test_what_does_not_keep_up_is_no_measure() -> None:
    behind = {"Ray Serve": Showing(0.01, 2.0)}
    assert ratios([shown(0.02, 0.06, 0.08, 0.2, 0.1) | behind])["Vigie"] == 0.25
    assert ratios([shown(0.02, 0.06, 0.08, 0.2, 0.1) | {"Vigie": Showing(0.02, 3.0)}])["Vigie"] is None


def test_a_contender_that_analyses_less_often_is_said_not_to_keep_up() -> None:
    quick, slow = Showing(0.08, 5.0, 3.0), Showing(0.04, 2.0, 3.0)
    assert Contender.of([quick, quick], 3.0).kept_up
    assert not Contender.of([quick, slow], 3.0).kept_up
    assert slow.cpu_ms_a_frame == pytest.approx(20)


def test_what_a_contender_finds_is_its_own_word_where_it_tells() -> None:
    assert Contender.of([Showing(0.1, 5.0, 2.0), Showing(0.1, 5.0, 4.0)], 9.0).detections_a_frame == 3
    assert Contender.of([Showing(0.1, 5.0)], 9.0).detections_a_frame == 9


def test_what_analyses_nothing_costs_no_finite_time_a_frame() -> None:
    assert Showing(0.1, 0.0).cpu_ms_a_frame == float("inf")
