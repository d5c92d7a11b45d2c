import pytest

from tools.evaluate.figures import Figures


def test_where_nothing_was_tried_there_is_no_figure() -> None:
    figures = Figures(found=0, missed=0, false_alarms=0, watched_s=0, delays_s=())

    assert (figures.recall, figures.precision, figures.f1, figures.false_alarms_per_camera_hour) == (None,) * 4
    assert (figures.median_delay_s, figures.greatest_delay_s) == (None, None)


def test_figures_follow_from_the_counts() -> None:
    figures = Figures(found=8, missed=2, false_alarms=8, watched_s=1800, delays_s=(1, 2, 9))

    assert figures.recall is not None
    assert figures.precision is not None
    assert figures.f1 is not None
    assert figures.false_alarms_per_camera_hour is not None
    assert figures.recall.value == 0.8
    assert figures.precision.value == 0.5
    assert figures.f1.value == pytest.approx(2 * 0.8 * 0.5 / 1.3)
    assert figures.f1.low < figures.f1.value < figures.f1.high
    assert figures.false_alarms_per_camera_hour.value == 16
    assert (figures.median_delay_s, figures.greatest_delay_s) == (2, 9)
