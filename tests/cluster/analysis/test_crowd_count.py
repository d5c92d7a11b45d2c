from collections.abc import Sequence

import pytest

from cluster.analysis.crowd_count import CrowdCounter, higher_opinion
from cluster.analysis.geometry import Polygon
from cluster.analysis.scene import Scene
from cluster.video.frame import Fit
from tests.cluster.analysis.crowds import PERSON_PX, PLACE, PLANE, VIEW, Placed, crowd_of, crowd_scene
from vigie.vocabulary import ObjectClass


def counter_of(polygon: Polygon = PLACE, *, sees_behind: bool = True) -> CrowdCounter:
    return CrowdCounter(VIEW, polygon, PLANE, sees_behind=sees_behind)


def counts(counter: CrowdCounter, scenes: Sequence[Scene]) -> list[float]:
    return [counter.count(scene).people for scene in scenes]


def empty(until_s: float) -> list[Scene]:
    """Frames at 5 a second in which nobody is."""
    return [crowd_scene(place / 5, []) for place in range(round(5 * until_s))]


def test_few_people_are_as_many_as_are_tracked() -> None:
    people = [Placed(200, 300), Placed(300, 300), Placed(400, 350)]

    found = counts(counter_of(), [*empty(2), *(crowd_scene(2 + place / 5, people) for place in range(20))])

    assert set(found[10:]) == {3.0}


@pytest.mark.parametrize(("people", "clear"), [(40, 22), (80, 20), (120, 12)])
@pytest.mark.parametrize("seed", range(3))
def test_people_hidden_by_others_are_counted(people: int, clear: int, seed: int) -> None:
    counter = counter_of()
    counts(counter, empty(2))

    crowd = counter.count(crowd_scene(2, crowd_of(people, clear=clear, seed=seed)))

    assert crowd.seen == clear
    assert crowd.people == pytest.approx(people, rel=0.25)


def test_without_that_part_only_those_seen_are_counted() -> None:
    counter = counter_of(sees_behind=False)
    counts(counter, empty(2))

    assert counter.count(crowd_scene(2, crowd_of(80, clear=20))).people == 20


def test_crowd_that_stands_for_long_is_not_forgotten() -> None:
    counter = counter_of()
    counts(counter, empty(2))

    scenes = [crowd_scene(2 + 5 * place, crowd_of(80, clear=20)) for place in range(60)]
    found = counts(counter, scenes)

    assert min(found) == pytest.approx(80, rel=0.25)


def test_bags_are_nobody() -> None:
    bags = [Placed(150 + 40 * place, 400, 0.6, 30, ObjectClass.SUITCASE) for place in range(10)]
    # The detector takes some of them for a person, but never surely.
    bags += [Placed(bag.x, bag.y, 0.2, 30) for bag in bags]

    found = counts(counter_of(), [*empty(2), *(crowd_scene(2 + place / 5, bags) for place in range(50))])

    assert set(found) == {0}


def test_bags_beside_a_person_are_nobody() -> None:
    bags = [Placed(150 + 40 * place, 400, 0.6, 30, ObjectClass.SUITCASE) for place in range(10)]
    bags += [Placed(bag.x, bag.y, 0.2, 30) for bag in bags]
    scenes = [crowd_scene(2 + place / 5, [*bags, Placed(300, 300)]) for place in range(50)]

    found = counts(counter_of(), [*empty(2), *scenes])

    assert set(found[10:]) == {1}


def test_empty_scene_with_faint_boxes_has_nobody() -> None:
    counter = counter_of()
    counts(counter, empty(2))
    ghosts = crowd_scene(2, [Placed(person.x, person.y, 0.15, level=None) for person in crowd_of(60, clear=0)])

    assert counter.count(ghosts).people == 0


@pytest.mark.parametrize("light", [0.2, 0.7, 1.4])
def test_light_that_switches_adds_nobody(light: float) -> None:
    people = [Placed(200, 300), Placed(300, 300), *crowd_of(20, clear=0)[:10]]
    ghosts = [people[0], people[1], *(Placed(person.x, person.y, 0.15, level=None) for person in people[2:])]

    scenes = [crowd_scene(2 + place / 5, ghosts, light=light if place >= 10 else 1) for place in range(50)]
    found = counts(counter_of(), [*empty(2), *scenes])

    assert max(found[10:]) <= 4


def test_camera_that_shakes_adds_nobody() -> None:
    ghosts = [Placed(200, 300), *(Placed(person.x, person.y, 0.15, level=None) for person in crowd_of(20, clear=0))]
    scenes = [crowd_scene(2 + place / 5, ghosts, shift_px=7 * (place % 2)) for place in range(50)]

    found = counts(counter_of(), [*empty(2), *scenes])

    assert set(found[10:]) == {1}


def test_black_frames_add_nobody() -> None:
    people = [Placed(200, 300), Placed(300, 300)]
    scenes = [crowd_scene(2 + place / 5, people, light=0 if 10 <= place < 20 else 1) for place in range(50)]

    assert max(counts(counter_of(), [*empty(2), *scenes])) <= 3


def test_what_one_person_covers_is_learnt_from_those_who_are_alone() -> None:
    """People who look larger than usual, such as in winter coats, are not two each."""
    broad = 1.25 * PERSON_PX
    crowd = [Placed(one.x, one.y, one.score, broad) for one in crowd_of(60, clear=20)]
    # Two faint boxes for each who is hidden.
    scene = crowd_scene(400, [*crowd, *crowd[20:]])
    fresh, learnt = counter_of(), counter_of()
    alone = [Placed(150 + 120 * place, 400, height=broad) for place in range(4)]
    counts(fresh, empty(2))
    counts(learnt, [*empty(2), *(crowd_scene(2 + place, alone) for place in range(300))])

    blind, knowing = fresh.count(scene).people, learnt.count(scene).people
    assert blind > 1.35 * 60
    assert knowing < 0.85 * blind
    assert knowing == pytest.approx(60, rel=0.3)


def test_someone_near_the_camera_whose_feet_are_out_of_sight_is_one_person() -> None:
    """He covers as much as many who stand where his box ends."""
    near = Placed(300, 430, height=4 * PERSON_PX)
    ghosts = [Placed(300 + 5 * place, 430, 0.25, 100, level=None) for place in range(-5, 6)]
    scenes = [crowd_scene(2 + place / 5, [near, *ghosts]) for place in range(30)]

    assert set(counts(counter_of(), [*empty(2), *scenes])[10:]) == {1}


def test_no_more_are_counted_than_the_detector_may_see() -> None:
    """A flag that waves beside someone is no crowd, though he is sure and the flag is in a faint box."""
    flag = Placed(300, 400, 0.25, height=4 * PERSON_PX)
    scenes = [crowd_scene(2 + place / 5, [Placed(450, 400), flag]) for place in range(30)]

    assert max(counts(counter_of(), [*empty(2), *scenes])) <= 3


def test_picture_of_another_size_begins_anew() -> None:
    counter = counter_of()
    counts(counter, empty(2))
    scene = crowd_scene(2, crowd_of(80, clear=20))
    wide = Scene(2.2, scene.picture[:120], scene.detections, scene.tracks)

    assert Fit(160, 160).of(640, 240) != Fit(160, 160).of(640, 480)
    assert counter.count(wide).people == 20


def test_reset_forgets_the_empty_scene() -> None:
    counter = counter_of()
    counts(counter, empty(2))
    counter.reset()

    assert counter.count(crowd_scene(2, crowd_of(80, clear=20))).people == 20


def test_zone_that_shows_no_ground_counts_those_seen() -> None:
    """A zone so small that no pixel of the grid lies in it."""
    dot = Polygon.of([(300, 299), (301.5, 299), (301.5, 301), (300, 301)], "zone dot")
    counter = counter_of(dot)

    assert counts(counter, [*empty(1), crowd_scene(1, [Placed(300.5, 300)])])[-1] == 1


@pytest.mark.parametrize(
    ("seen", "covering", "people"), [(5, 3, 5), (5, 6.6, 5), (5, 8.25, 8.25), (5, 40, 40), (0, 1.5, 0.75), (40, 45, 40)]
)
def test_estimate_is_taken_as_far_as_it_is_beyond_doubt(seen: int, covering: float, people: float) -> None:
    assert higher_opinion(seen, covering) == pytest.approx(people)
