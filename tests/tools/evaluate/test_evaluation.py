from collections.abc import Callable
from pathlib import Path

from tests.tools.conftest import Outcome
from tests.tools.evaluate.labelled import INTRUSION, write_label
from tools.evaluate.conditions import UNCHANGED
from tools.evaluate.evaluation import Plan
from tools.evaluate.labels import load_labels
from tools.evaluate.variations import PLAIN, Variation
from vigie.vocabulary import Kind

Vigie = Callable[..., Outcome]

WITHOUT = frozenset({"fire.flicker"})


def test_clip_is_played_once_a_condition_whatever_is_compared(tmp_path: Path) -> None:
    """Decoding and detection are dear, and the same for all pipelines that watch a clip."""
    write_label(tmp_path / "door.json", watch=[INTRUSION, {"kind": "FIRE"}])
    every = [PLAIN, Variation(without=WITHOUT), Variation("late"), Variation("late", WITHOUT)]

    jobs = list(Plan(load_labels([tmp_path]), every, frozenset(Kind)).jobs())

    assert [(job.under, job.without) for job in jobs] == [(under, (frozenset(), WITHOUT)) for under in (UNCHANGED, "late")]


def test_longest_clips_are_played_first(tmp_path: Path) -> None:
    for name, frames in (("a", 10), ("b", 30), ("c", 20)):
        write_label(tmp_path / f"{name}.json", frames=frames)

    jobs = Plan(load_labels([tmp_path]), [PLAIN], frozenset(Kind)).jobs()

    assert [job.file.name for job in jobs] == ["b", "c", "a"]


def test_only_what_is_asked_for_is_watched_for(tmp_path: Path) -> None:
    write_label(tmp_path / "door.json", watch=[INTRUSION, {"kind": "FIRE"}])

    (job,) = Plan(load_labels([tmp_path]), [PLAIN], frozenset({Kind.FIRE, Kind.WEAPON})).jobs()

    assert job.kinds == {Kind.FIRE}


def test_output_does_not_depend_on_how_many_clips_are_played_at_a_time(vigie: Vigie, labels: Path) -> None:
    arguments = ("evaluate", str(labels), "--under", "mirrored", "--json", "--jobs")

    assert vigie(*arguments, "1") == vigie(*arguments, "2")
