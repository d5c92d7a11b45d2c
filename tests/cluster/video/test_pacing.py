from cluster.video.pacing import Pacer


def waits(frames: list[tuple[float | None, float]], period_s: float = 0.25) -> list[float]:
    pacer = Pacer(period_s)
    return [pacer.wait_s(pts_s, now_s) for pts_s, now_s in frames]


def test_frames_wait_for_their_presentation_times() -> None:
    assert waits([(7.0, 100.0), (7.25, 100.0), (8.0, 100.5)]) == [0, 0.25, 0.5]


def test_late_frame_does_not_wait() -> None:
    assert waits([(0.0, 100.0), (0.25, 100.5)]) == [0, 0]


def test_player_far_behind_goes_on_from_where_it_is() -> None:
    assert waits([(0.0, 100.0), (0.25, 105.0), (0.5, 105.0)]) == [0, 0, 0.25]


def test_presentation_times_that_turn_back_are_followed() -> None:
    assert waits([(50.0, 100.0), (0.0, 100.0), (0.25, 100.0)]) == [0, 0, 0.25]


def test_frames_without_presentation_times_come_a_period_apart() -> None:
    assert waits([(None, 100.0), (None, 100.0), (None, 100.0)]) == [0, 0.25, 0.5]
