from hypothesis import given
from hypothesis import strategies as st

from cluster.video.reconnect import CAP_S, Backoff


def test_bound_doubles_up_to_the_cap() -> None:
    backoff = Backoff(lambda: 1.0, base_s=0.5, cap_s=3)
    assert [backoff.next_s() for _ in range(5)] == [0.5, 1, 2, 3, 3]


def test_success_begins_anew() -> None:
    backoff = Backoff(lambda: 1.0, base_s=0.5, cap_s=3)
    backoff.next_s()
    backoff.next_s()
    backoff.reset()
    assert backoff.next_s() == 0.5


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1))
def test_no_delay_is_above_the_cap(draws: list[float]) -> None:
    remaining = iter(draws)
    backoff = Backoff(lambda: next(remaining))
    assert all(0 <= backoff.next_s() < CAP_S for _ in draws)
