import json
from pathlib import Path

import pytest

from tests.tools.evaluate.labelled import INTRUSION, fields, intrusion, write_label
from tools.errors import CommandError, ExitCode
from tools.evaluate.labels import LABEL_LIMIT_BYTES, Label, load_labels
from vigie.vocabulary import Kind


def test_labels_of_a_folder_come_in_order_of_their_names_each_once(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        write_label(tmp_path / f"{name}.json")
    (tmp_path / "notes.txt").write_text("not a label")

    files = load_labels([tmp_path / "c.json", tmp_path])

    assert [file.name for file in files] == ["a", "b", "c"]


def test_labels_whose_names_match_are_set_apart(tmp_path: Path) -> None:
    for name in ("hard_1", "easy_1"):
        write_label(tmp_path / f"{name}.json")

    assert {file.name: file.is_apart for file in load_labels([tmp_path], ["hard_*"])} == {"easy_1": False, "hard_1": True}


@pytest.mark.parametrize("place", ["clips/door.mp4", "labels/clips/door.mp4", "labels/door.mp4"])
def test_clip_is_found_above_the_labels_folder_or_beside_the_label(tmp_path: Path, place: str) -> None:
    write_label(tmp_path / "labels" / "door.json")
    (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
    (tmp_path / place).touch()

    (file,) = load_labels([tmp_path / "labels"])

    assert file.clip == tmp_path / place


def test_kinds_of_which_nothing_is_known_do_not_count() -> None:
    label = Label.model_validate_json(_json(watch=[INTRUSION, {"kind": "FIRE"}], says_nothing_about=["FIRE", "WEAPON"]))

    assert label.watched == {Kind.ZONE_INTRUSION, Kind.FIRE}
    assert label.counted == {Kind.ZONE_INTRUSION}


def test_keys_that_are_remarks_are_passed_over() -> None:
    label = Label.model_validate_json(_json(note="raining", events=[intrusion(1, 2, put_down_s=0.5)]))

    assert label.events[0].start_s == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"fps": 0}, "fps: Input should be greater than 0 (it is 0)"),
        ({"width": 9000}, "width: Input should be less than or equal to 8192 (it is 9000)"),
        ({"frames": "many"}, "frames: Input should be a valid integer (it is 'many')"),
        ({"sha256": "?"}, "sha256: String should match pattern"),
        ({"watch": [{"kind": "FIRE", "lying_s": 3}]}, "watch.0.lying_s: Extra inputs are not permitted (it is 3)"),
        ({"watch": [{"kind": "FLOOD"}]}, "watch.0: Input tag 'FLOOD'"),
        ({"watch": [{**INTRUSION, "who": ["dog"]}]}, "watch.0.who.0: is 'dog'; known: person"),
        ({"watch": [{**INTRUSION, "polygon": "door"}]}, "watch.0.polygon: Input should be a valid array (it is 'door')"),
        ({"events": [intrusion(2, 1)]}, "events.0: ends at 1 s, before it starts at 2 s"),
        ({"events": [intrusion(1, 2, box=[9, 9, 1, 1])]}, "events.0: has a box whose corners are swapped"),
        ({"events": [intrusion(-1, 2)]}, "events.0.start_s: Input should be greater than or equal to 0 (it is -1)"),
        (
            {"events": [{"kind": "CROWD_DENSITY", "start_s": 1, "end_s": 2}]},
            "the label: has an event CROWD_DENSITY, which the camera does not watch for; add it to watch or to says_nothing",
        ),
        ({"says_nothing_about": ["RAIN"]}, "says_nothing_about.0: is 'RAIN'; known: ABANDONED_OBJECT"),
        ({"ground_plane": {"image": [[0, 0]], "metres": []}}, "ground_plane.image"),
    ],
)
def test_error_names_the_file_and_the_field(tmp_path: Path, content: dict[str, object], problem: str) -> None:
    path = write_label(tmp_path / "door.json", **content)

    with pytest.raises(CommandError) as refused:
        load_labels([path])

    assert refused.value.code is ExitCode.BAD_INPUT
    assert f"{path}: {problem}" in str(refused.value)


def test_all_problems_of_all_labels_are_told_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_label(tmp_path / f"{name}.json", fps=0, width=0)

    with pytest.raises(CommandError) as refused:
        load_labels([tmp_path])

    assert str(refused.value).count("\n") == 4


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "Invalid JSON"),
        (b"[1, 2]", "the label: Input should be an object"),
        (b"\xff\xfe", "Invalid JSON"),
        (b" " * (LABEL_LIMIT_BYTES + 1), "is longer than 1048576 bytes"),
    ],
)
def test_file_that_is_no_label_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "door.json"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=f"{path}: .*{problem}"):
        load_labels([path])


def test_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no label file"):
        load_labels([tmp_path])


def test_label_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        load_labels([tmp_path / "missing.json"])


def _json(**more: object) -> str:
    return json.dumps(fields(**more))
