import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from tests.cluster.inference.networks import constant_network, write_pack
from tests.cluster.video.clips import write_clip
from tests.tools.conftest import Outcome
from tests.tools.evaluate.labelled import INTRUSION, sha256, write_label
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


def test_weapons_are_found_with_a_pack_for_them(vigie: Vigie, tmp_path: Path) -> None:
    person_and_weapon = constant_network([[3.0, 3.0]], [[0.25, 0.25, 0.5, 0.5]])
    things = write_pack(tmp_path / "things", person_and_weapon, task="object_detection", classes=["person", "weapon"])
    weapons = write_pack(tmp_path / "weapons", person_and_weapon, task="weapon_detection", classes=["person", "weapon"])
    clip = write_clip(tmp_path / "door.mp4", frames=100)
    event = {"kind": "WEAPON", "start_s": 0, "end_s": 4}
    label = write_label(
        tmp_path / "door.json", clip="door.mp4", frames=100, sha256=sha256(clip), watch=[{"kind": "WEAPON"}], events=[event]
    )

    outcome = vigie("evaluate", str(label), "--pack", str(things), "--weapon-pack", str(weapons), "--jobs", "1", "--json")

    found = json.loads(outcome.out)
    assert found["weapon_pack"]["sha256"] == hashlib.sha256(person_and_weapon).hexdigest()
    assert found["kinds"]["WEAPON"]["found"] == 1, outcome
