from hypothesis import given
from hypothesis import strategies as st

from cluster.video.frame import Fit

sides = st.integers(1, 8192)


def test_picture_is_scaled_as_large_as_fits() -> None:
    assert Fit(416, 416).of(704, 576) == (416, 340)
    assert Fit(416, 416).of(1, 1) == (416, 416)


@given(sides, sides, sides, sides)
def test_every_picture_fits_and_touches_an_edge(fit_width: int, fit_height: int, width: int, height: int) -> None:
    scaled = Fit(fit_width, fit_height).of(width, height)
    assert 1 <= scaled[0] <= fit_width
    assert 1 <= scaled[1] <= fit_height
    assert scaled[0] == fit_width or scaled[1] == fit_height
