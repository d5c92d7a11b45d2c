"""What operators are told of the limits of what they see."""

import pytest

from vigie.limits import KNOWN_LIMITS
from vigie.vocabulary import Kind


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_few_short_sentences(kind: Kind) -> None:
    sentences = KNOWN_LIMITS[kind]

    assert 2 <= len(sentences) <= 4
    assert all(len(sentence) <= 120 and sentence.endswith(".") for sentence in sentences)
