import pytest

from cluster.supervision import Condition, Patience, condition


@pytest.mark.parametrize(
    ("age_s", "silence_s", "is_ours", "expected"),
    [
        (0, None, True, Condition.STARTING),
        (89, None, True, Condition.STARTING),
        (91, None, True, Condition.HUNG),
        (9, None, False, Condition.STARTING),
        (11, None, False, Condition.HUNG),
        (500, 0, True, Condition.READY),
        (500, 3, False, Condition.READY),
        (500, 5, True, Condition.HUNG),
    ],
)
def test_silence_is_forgiven_for_as_long_as_it_may_last(
    age_s: float, silence_s: float | None, is_ours: bool, expected: Condition
) -> None:
    patience = Patience(starting_s=90, found_s=10, silent_s=4)
    assert condition(age_s=age_s, silence_s=silence_s, is_ours=is_ours, patience=patience) is expected
