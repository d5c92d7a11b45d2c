import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.grouping import capacity
from cluster.isolation import ALLOWANCE, PROOF, SUSPECT_S, Suspicion

BAD = "venues/v/cameras/0"


def companies(ranks: dict[str, int], cameras: list[str], most: int) -> list[list[str]]:
    """Groups as `placement` makes them: of one rank each, as full as they may be."""
    by_rank: dict[int, list[str]] = {}
    for camera in cameras:
        by_rank.setdefault(ranks.get(camera, 0), []).append(camera)
    sizes = {rank: capacity(rank, most) for rank in by_rank}
    return [
        members[start : start + sizes[rank]] for rank, members in by_rank.items() for start in range(0, len(members), sizes[rank])
    ]


@given(st.integers(1, 24), st.sampled_from([1, 2, 8, 16]), st.floats(1, 20))
def test_camera_that_brings_its_group_down_is_found_and_no_other(count: int, most: int, every_s: float) -> None:
    cameras = [f"venues/v/cameras/{number}" for number in range(count)]
    suspicion, now_s, deaths = Suspicion(most), 0.0, 0
    while BAD not in suspicion.quarantined(now_s):
        (company,) = (group for group in companies(suspicion.ranks(), cameras, most) if BAD in group)
        suspicion.note_death(company, now_s)
        suspicion.forget(cameras, now_s)
        now_s += every_s
        deaths += 1
        assert deaths <= 8
    assert suspicion.quarantined(now_s) == {BAD}


def test_group_that_is_killed_now_and_then_casts_no_suspicion() -> None:
    suspicion = Suspicion(8)
    for now_s in (0.0, 100.0):
        suspicion.note_death([BAD], now_s)
    assert suspicion.ranks() == {}


def test_death_of_a_group_of_several_proves_nothing() -> None:
    suspicion = Suspicion(8)
    for now_s in range(20):
        suspicion.note_death([BAD, "other"], float(now_s))
    assert not suspicion.quarantined(20.0)


@pytest.fixture
def convicted() -> Suspicion:
    suspicion = Suspicion(8)
    for _ in range(PROOF):
        suspicion.note_death([BAD], 0.0)
    return suspicion


def test_camera_that_was_left_alone_is_tried_again_by_itself(convicted: Suspicion) -> None:
    later_s = ALLOWANCE.first_rest_s
    assert convicted.quarantined(later_s - 1) == {BAD}
    assert convicted.quarantined(later_s) == frozenset()
    assert capacity(convicted.ranks()[BAD], 8) == 1


def test_camera_that_is_no_better_is_left_alone_for_longer(convicted: Suspicion) -> None:
    again_s = ALLOWANCE.first_rest_s + 1
    convicted.note_death([BAD], again_s)
    assert convicted.quarantined(again_s + 2 * ALLOWANCE.first_rest_s - 1) == {BAD}


def test_camera_that_is_better_is_acquitted(convicted: Suspicion) -> None:
    convicted.forget([BAD], ALLOWANCE.first_rest_s + SUSPECT_S)
    assert convicted.ranks() == {}


def test_camera_that_is_not_assigned_any_more_is_forgotten(convicted: Suspicion) -> None:
    convicted.forget([], 1.0)
    assert not convicted.quarantined(1.0)
    assert convicted.ranks() == {}
