from pathlib import Path

import pytest

from tools.bench.encoding import Reel
from tools.bench.roster import roster
from tools.bench.scenes import HEIGHT, LOOK_S, WIDTH, Motion, Scene, busy_scene, chosen, quiet_scene
from tools.errors import CommandError
from tools.evaluate.labels import Event, GroundPlane, Label, LabelFile, Watch

SECONDS = 20


def label_file(name: str, *events: tuple[float, float]) -> LabelFile:
    zone = Watch.model_validate({"kind": "ZONE_INTRUSION", "zone": "lawn", "polygon": [[0, 0], [320, 0], [320, 240]]})
    corners = ((0, 0), (320, 0), (320, 240), (0, 240))
    label = Label(
        clip=f"clips/{name}.mp4",
        fps=10,
        width=320,
        height=240,
        frames=10 * SECONDS,
        sha256="0" * 64,
        watch=(zone,),
        events=tuple(
            Event.model_validate({"kind": "ZONE_INTRUSION", "start_s": start_s, "end_s": end_s, "zone": "lawn"})
            for start_s, end_s in events
        ),
        ground_plane=GroundPlane(image=corners, metres=((0, 0), (1, 0), (1, 1), (0, 1))),
    )
    return LabelFile(Path(f"labels/{name}.json"), label)


def motion(share: float, *, still_from_s: float | None = None) -> Motion:
    shares = [share] * round(SECONDS / LOOK_S)
    if still_from_s is not None:
        start = round(still_from_s / LOOK_S)
        shares[start : start + 40] = [0.0] * 40
    return Motion(tuple(shares))


def test_a_quiet_scene_is_the_stillest_stretch() -> None:
    scene = quiet_scene(label_file("square"), motion(0.1, still_from_s=8))
    assert scene
    assert scene.start_s == pytest.approx(8)
    assert scene.moving == 0


def test_where_something_happens_is_no_quiet_scene() -> None:
    scene = quiet_scene(label_file("square", (9.0, 15.0)), motion(0.1, still_from_s=8))
    assert scene
    assert scene.moving > 0
    assert scene.start_s + scene.length_s <= 9 or scene.start_s >= 15


def test_a_clip_in_which_something_happens_all_the_time_has_no_quiet_scene() -> None:
    assert quiet_scene(label_file("square", (0.0, 20.0)), motion(0.1)) is None


def test_a_quiet_scene_turns_back_and_a_busy_one_begins_anew() -> None:
    quiet = Scene(label_file("square"), is_busy=False, start_s=8, length_s=4, moving=0)
    assert [quiet.source_s(time_s) for time_s in (0, 3, 4, 5, 8, 9)] == [8, 11, 12, 11, 8, 9]
    busy = busy_scene(label_file("street"), motion(0.1))
    assert [busy.source_s(time_s) for time_s in (0, 19, 20, 21)] == [0, 19, 0, 1]


def test_the_busiest_of_each_series_is_taken() -> None:
    event = (1.0, 2.0)
    found = [
        (label_file("street_1", event), motion(0.1)),
        (label_file("street_2", event), motion(0.3)),
        (label_file("lawn", event), motion(0.2)),
        (label_file("square"), motion(0.9)),
    ]
    assert [scene.file.name for scene in chosen(found) if scene.is_busy] == ["street_2", "lawn"]


def test_named_clips_are_quiet_ones_as_they_are() -> None:
    found = [(label_file("street", (1.0, 2.0)), motion(0.1)), (label_file("square"), motion(0.9))]
    (quiet,) = [scene for scene in chosen(found, ["square"]) if not scene.is_busy]
    assert (quiet.file.name, quiet.length_s) == ("square", SECONDS)
    assert quiet.moving == pytest.approx(0.9)


def test_footage_without_a_busy_clip_is_refused() -> None:
    with pytest.raises(CommandError, match="no clip in which something happens"):
        chosen([(label_file("square"), motion(0.1))])


def test_zones_and_ground_follow_the_size_of_the_picture() -> None:
    label = busy_scene(label_file("street"), motion(0.1)).label
    assert (label.width, label.height) == (WIDTH, HEIGHT)
    assert label.watch[0].polygon == ((0, 0), (WIDTH, 0), (WIDTH, HEIGHT))
    assert label.ground_plane
    assert label.ground_plane.image[2] == (WIDTH, HEIGHT)


def test_one_camera_in_five_is_busy_and_none_shows_what_another_does() -> None:
    scenes = [Scene(label_file(f"clip-{number}"), number % 2 == 0, 0, 4, 0) for number in range(6)]
    posts = list(roster([Reel(scene, 60.0, Path("clip"), Path("pictures")) for scene in scenes], 100))
    busy = [post for post in posts if post.reel.scene.is_busy]
    assert len(busy) == 20
    assert {post.reel.scene.file.name for post in posts} == {scene.file.name for scene in scenes}
    assert len({post.ahead_s for post in posts}) == len({post.camera for post in posts}) == 100
    assert all(0 <= post.ahead_s <= 60 for post in posts)
