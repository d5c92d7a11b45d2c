"""The made scenes by name, each from a seed: what happens in it stands beside it."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tools.synthetic.actors import Actor, Path, luggage, paths, walk
from tools.synthetic.camera import Camera
from tools.synthetic.crowd import Crowd, Wish, meeting, panicking, simulate, strolling
from tools.synthetic.disturbance import Beacon, Disturbance
from tools.synthetic.stage import Cause, Stage
from vigie.vocabulary import Kind, ObjectClass

_HALL = Camera()
_PLAZA = Camera(focal_px=260.0, height_m=8.0, down_deg=28.0)
_WAIT_S = 10.0
_EVERYWHERE: tuple[Mapping[str, object], ...] = (
    {"kind": "ABANDONED_OBJECT", "stationary_s": _WAIT_S},
    {"kind": "PERSON_DOWN", "lying_s": 2.0},
    {"kind": "CROWD_MOVEMENT"},
    {"kind": "FIRE"},
)


def empty(seed: int) -> Stage:
    """Nobody and nothing."""
    return Stage((), 30.0, watch=_EVERYWHERE, seed=seed)


def passers_by(seed: int) -> Stage:
    """Six people cross, one after the other."""
    random = np.random.default_rng(seed)
    people = []
    for number in range(6):
        start_s, y = 3.0 * number, float(random.uniform(9, 18))
        sides = (-9.0, 9.0) if random.random() < 0.5 else (9.0, -9.0)
        people.append(walk(Path.through((start_s, sides[0], y), (start_s + 14, sides[1], y)), seed=seed + number))
    return Stage(people, 32.0, watch=_EVERYWHERE, seed=seed)


def left_behind(seed: int) -> Stage:
    """Someone puts a case down and walks away."""
    owner = walk(Path.through((0, -6, 11), (5, 0, 11), (7, 0, 11), (14, 9, 13)), seed=seed)
    case = luggage((0.4, 10.9), 6.0, 60.0)
    return _of_objects([owner, case], seed, Cause(Kind.ABANDONED_OBJECT, 8.0 + _WAIT_S, 45.0))


def attended(seed: int) -> Stage:
    """Someone puts a case down and stays beside it."""
    owner = walk(Path.through((0, -6, 11), (5, 0, 11), (44, 0.1, 11), (45, 0, 11)), seed=seed)
    return _of_objects([owner, luggage((0.7, 10.9), 6.0, 60.0)], seed)


def taken_away(seed: int) -> Stage:
    """A case that always stood there is taken away."""
    taker = walk(Path.through((6, -6, 11), (11, 0, 11), (12, 0, 11), (18, 8, 12)), seed=seed)
    return _of_objects([luggage((0.4, 10.9), 0.0, 12.0), taker], seed)


def swapped(seed: int) -> Stage:
    """Someone puts a case down, and another takes it before it counts."""
    owner = walk(Path.through((0, -6, 11), (5, 0, 11), (7, 0, 11), (14, 9, 13)), seed=seed)
    taker = walk(Path.through((8, 6, 10), (13, 0.6, 11), (14, 0.6, 11), (20, -8, 12)), seed=seed + 1)
    return _of_objects([owner, luggage((0.4, 10.9), 6.0, 14.0), taker], seed)


def fall(seed: int) -> Stage:
    """Someone walks, falls and stays down."""
    person = walk(Path.through((0, -4, 10), (6, 1, 10), (30, 1.1, 10)), seed=seed, lies_down=(6.0, 0.7))
    return _of_people([person], seed, Cause(Kind.PERSON_DOWN, 6.0, 30.0))


def lies_from_the_start(seed: int) -> Stage:
    """Someone lies there before the camera looks, as who sleeps in a station does."""
    person = walk(Path.through((0, 1, 10), (30, 1.05, 10)), seed=seed, lies_down=(-10.0, 1.0))
    return _of_people([person], seed)


def lies_down_slowly(seed: int) -> Stage:
    """Someone lies down on the grass, taking their time."""
    person = walk(Path.through((0, -4, 10), (6, 1, 10), (30, 1.1, 10)), seed=seed, lies_down=(6.0, 6.0))
    return _of_people([person], seed)


def stroll(seed: int) -> Stage:
    """A crowd walks about."""
    return _of_crowd(seed, strolling(seed, 24))


def panic(seed: int) -> Stage:
    """A crowd walks about, then runs from one place."""
    wish = panicking(strolling(seed, 24), since_s=15.0, from_m=(0.0, 16.0))
    return _of_crowd(seed, wish, Cause(Kind.CROWD_MOVEMENT, 15.0, 20.0))


def counter_flow(seed: int) -> Stage:
    """A crowd that comes out one way, and later meets another that goes in."""
    random = np.random.default_rng(seed)
    places = random.uniform((-42, 13), (8, 21), (160, 2))
    places[1::2, 0] += 68
    people = _people(simulate(places, meeting(160), duration_s=36.0), seed)
    # The first of those who go in are 18 m from those who come out, and walk towards them as these do: they meet in the picture.
    return Stage(people, 36.0, (Cause(Kind.CROWD_MOVEMENT, 12.0, 30.0),), watch=_EVERYWHERE, camera=_PLAZA, seed=seed)


def wrong_way_driver(seed: int) -> Stage:
    """Cars drive to the right; one drives to the left."""
    cars = [_car((2.0 + 4 * number, -16), 16, seed + number) for number in range(4)]
    ghost = _car((9.0, 16), -16, seed + 9, y=15.0)
    polygon = [[0, 60], [320, 60], [320, 230], [0, 230]]
    watch = {"kind": "WRONG_WAY", "zone": "road", "polygon": polygon, "allowed_direction": [1, 0], "who": ["car"]}
    return Stage([*cars, ghost], 24.0, (Cause(Kind.WRONG_WAY, 9.0, 13.0),), watch=(watch,), seed=seed)


def lamps(seed: int) -> Stage:
    """A beacon, a neon sign and headlights at dusk: the lights that the 2024 trial took for fire."""
    lights = (Beacon((60, 60), 7, 0.9), Beacon((200, 50), 9, 0.0, (40, 160, 255)), Beacon((260, 70), 5, 0.33, (60, 60, 255)))
    return replace(passers_by(seed), disturbance=Disturbance(beacons=lights, exposure=((0.0, 0.5),), noise=3.0))


def bad_weather(seed: int) -> Stage:
    """Passers-by in rain and wind, before a camera that shakes, switches its exposure and compresses hard."""
    weather = Disturbance(noise=5.0, rain=60, shake_px=1.5, exposure=((12.0, 0.75), (20.0, 1.1)), trees=4, jpeg_quality=40)
    return replace(passers_by(seed), disturbance=weather)


SCENES: Mapping[str, Callable[[int], Stage]] = {
    scene.__name__.replace("_", "-"): scene
    for scene in (
        empty,
        passers_by,
        left_behind,
        attended,
        taken_away,
        swapped,
        fall,
        lies_from_the_start,
        lies_down_slowly,
        stroll,
        panic,
        counter_flow,
        wrong_way_driver,
        lamps,
        bad_weather,
    )
}


def _of_objects(actors: list[Actor], seed: int, *causes: Cause) -> Stage:
    return Stage(actors, 45.0, causes, watch=_EVERYWHERE, camera=_HALL, seed=seed)


def _of_people(actors: list[Actor], seed: int, *causes: Cause) -> Stage:
    return Stage(actors, 20.0, causes, watch=_EVERYWHERE, camera=_HALL, seed=seed)


def _of_crowd(seed: int, wish: Wish, *causes: Cause) -> Stage:
    places = np.random.default_rng(seed).uniform((-9.0, 13.0), (9.0, 26.0), (24, 2))
    people = _people(simulate(places, wish, duration_s=24.0), seed)
    return Stage(people, 24.0, causes, watch=_EVERYWHERE, camera=_PLAZA, seed=seed)


def _people(crowd: Crowd, seed: int) -> list[Actor]:
    return [walk(path, seed=seed + number) for number, path in enumerate(paths(crowd.times_s, crowd.places_m))]


def _car(start: tuple[float, float], end_x: float, seed: int, *, y: float = 12.0) -> Actor:
    start_s, start_x = start
    color = tuple(np.random.default_rng(seed).integers(40, 220, 3).tolist())
    path = Path.through((start_s, start_x, y), (start_s + 4, end_x, y))
    return Actor(path, ObjectClass.CAR, height_m=1.5, width_m=4.2, colors=(color, color), walks=False)
