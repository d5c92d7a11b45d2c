from hypothesis import given
from hypothesis import strategies as st

from cluster.video.presentation import PresentationOrder, Turn


def turn(ticks: int | None, *, is_key: bool = False) -> Turn:
    return Turn(ticks, None if ticks is None else ticks / 25, 100, is_key)


def shown(turns: list[Turn], depth: int) -> list[int | None]:
    order, given = PresentationOrder(), list[int | None]()
    for one in turns:
        if one.is_key:
            given += [before.ticks for before in order.rest()]
        given += [now.ticks for now in order.put(one, depth=depth)]
    return given + [last.ticks for last in order.rest()]


@given(st.lists(st.integers(0, 3), max_size=60))
def test_pictures_that_are_sent_after_those_that_build_on_them_are_shown_in_order(between: list[int]) -> None:
    sent, ticks = [turn(0, is_key=True)], 0
    for count in between:  # a picture, then those shown before it
        sent += [turn(ticks + count + 1), *(turn(ticks + index + 1) for index in range(count))]
        ticks += count + 1
    assert shown(sent, depth=1) == list(range(ticks + 1))


def test_as_many_wait_as_the_decoder_holds_back() -> None:
    order = PresentationOrder()
    given = [[now.ticks for now in order.put(turn(ticks), depth=2)] for ticks in (0, 4, 2, 1, 3)]
    assert given == [[], [], [0], [1], [2]]


def test_times_that_begin_anew_with_a_key_frame_come_after_those_before() -> None:
    assert shown([turn(1000), turn(1002), turn(1001), turn(0, is_key=True), turn(1)], depth=1) == [1000, 1001, 1002, 0, 1]


def test_turns_without_a_time_come_as_they_are_sent() -> None:
    assert shown([turn(None), turn(None)], depth=2) == [None, None]
