from pathlib import Path

from tools.chaos.cluster.gaps import longest_gap_s, read_moments

ANALYSED_S = [0.0, 1.0, 2.0, 5.0, 6.0, 7.0, 8.0]


def test_longest_gap_is_that_of_the_span() -> None:
    assert longest_gap_s(ANALYSED_S, 0.5, 8.0) == 3.0
    assert longest_gap_s(ANALYSED_S, 5.5, 8.0) == 1.0


def test_gap_that_began_before_the_span_counts_whole() -> None:
    assert longest_gap_s(ANALYSED_S, 4.0, 8.0) == 3.0


def test_camera_that_is_not_analysed_any_more_has_a_gap_to_the_end() -> None:
    assert longest_gap_s(ANALYSED_S, 6.0, 20.0) == 12.0
    assert longest_gap_s([], 6.0, 20.0) == 14.0


def test_moments_of_a_log_are_put_in_order(tmp_path: Path) -> None:
    log = tmp_path / "probe.log"
    log.write_text('something else\n{"gate": 2.0}\n{"gate": 1.0, "hall": 3.0}\n')
    assert read_moments(log) == {"gate": [1.0, 2.0], "hall": [3.0]}
