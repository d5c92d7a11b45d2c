import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.inference.pack import Input
from cluster.inference.preprocessing import InputTensor, Picture


def picture(rng: np.random.Generator, width: int, height: int) -> Picture:
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_picture_that_fits_is_copied_and_the_rest_filled(rng: np.random.Generator) -> None:
    tensor = InputTensor(Input(width=64, height=64, layout="nhwc", dtype="uint8", pad_value=7), 1)
    given_picture = picture(rng, 64, 40)
    assert tensor.write(given_picture, 0) == (1, 1)
    np.testing.assert_array_equal(tensor.values[0, :40], given_picture)
    assert (tensor.values[0, 40:] == 7).all()


def test_nothing_of_an_earlier_picture_remains(rng: np.random.Generator) -> None:
    tensor = InputTensor(Input(width=64, height=64, layout="nhwc", dtype="uint8", pad_value=7), 1)
    tensor.write(picture(rng, 64, 64), 0)
    tensor.write(picture(rng, 30, 64), 0)
    assert (tensor.values[0, :, 30:] == 7).all()


def test_a_picture_that_does_not_fit_is_scaled_with_its_aspect() -> None:
    tensor = InputTensor(Input(width=64, height=64, layout="nhwc", dtype="uint8", pad_value=7), 1)
    assert tensor.write(np.full((100, 200, 3), 9, np.uint8), 0) == (200 / 64, 100 / 32)
    assert (tensor.values[0, :32] == 9).all()
    assert (tensor.values[0, 32:] == 7).all()


def test_stretching_fills_the_input() -> None:
    tensor = InputTensor(Input(width=64, height=32, layout="nhwc", dtype="uint8", fit="stretch"), 1)
    assert tensor.write(np.full((64, 64, 3), 9, np.uint8), 0) == (1, 2)
    assert (tensor.values == 9).all()


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("colors", ["bgr", "rgb"])
def test_values_are_scaled_then_centred_in_the_order_of_the_colours(rng: np.random.Generator, layout: str, colors: str) -> None:
    spec = Input.model_validate(
        {
            "width": 64,
            "height": 64,
            "layout": layout,
            "colors": colors,
            "scale": 1 / 255,
            "mean": (0.1, 0.2, 0.3),
            "std": (0.5, 0.6, 0.7),
        }
    )
    tensor = InputTensor(spec, 2)
    given_picture = picture(rng, 64, 48)
    tensor.write(given_picture, 1)
    pixels = given_picture if colors == "bgr" else given_picture[..., ::-1]
    padded = np.concatenate([pixels, np.full((16, 64, 3), 114, np.uint8)])
    expected = (padded / 255 - np.array([0.1, 0.2, 0.3])) / np.array([0.5, 0.6, 0.7])
    found = tensor.values[1] if layout == "nhwc" else tensor.values[1].transpose(1, 2, 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (tensor.values[0] == 0).all()


@given(st.integers(1, 200), st.integers(1, 200), st.sampled_from(["letterbox", "stretch"]))
def test_any_size_is_placed_and_its_scale_leads_back(width: int, height: int, fit: str) -> None:
    spec = Input.model_validate({"width": 64, "height": 32, "layout": "nhwc", "dtype": "uint8", "fit": fit})
    across, down = InputTensor(spec, 1).write(np.zeros((height, width, 3), np.uint8), 0)
    assert width / across <= 64.001
    assert height / down <= 32.001
