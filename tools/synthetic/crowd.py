"""A crowd by the social force model (Helbing and Molnár, Social force model for pedestrian dynamics, Phys. Rev. E 51, 1995)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]
Wish = Callable[[float, Places], Places]
"""(n, 2) metres a second at which each of (n, 2) places wants to move at a time."""

_STEP_S = 0.05
_RELAXATION_S = 0.5
_REPULSION_M_PER_S2 = 2.1
_REACH_M = 0.3
_BODY_M = 0.6
_FASTEST = 1.3
_TURN_PER_S = 0.3


@dataclass(frozen=True, slots=True)
class Crowd:
    """Where the members of a crowd are.

    Attributes:
        times_s: (t,).
        places_m: (t, n, 2).
    """

    times_s: NDArray[np.float64]
    places_m: Places


def simulate(start_m: Places, wish: Wish, *, duration_s: float) -> Crowd:
    """Lets (n, 2) people walk as they wish, each kept apart from the others by a force that falls off with distance."""
    times_s = np.arange(0, duration_s + _STEP_S, _STEP_S)
    places, speeds = [start_m], wish(0.0, start_m)
    for time_s in times_s[:-1]:
        wanted = wish(float(time_s), places[-1])
        speeds = _limited(speeds + _STEP_S * ((wanted - speeds) / _RELAXATION_S + _repulsion(places[-1])), wanted)
        places.append(places[-1] + _STEP_S * speeds)
    return Crowd(times_s, np.stack(places))


def _repulsion(places: Places) -> Places:
    apart = places[:, None] - places
    distances = np.linalg.norm(apart, axis=2) + np.eye(len(places)) * 1e3
    strength = _REPULSION_M_PER_S2 * np.exp((_BODY_M - distances) / _REACH_M)
    forces: Places = (strength[..., None] * apart / distances[..., None]).sum(axis=1)
    return forces


def _limited(speeds: Places, wanted: Places) -> Places:
    most = _FASTEST * np.maximum(np.linalg.norm(wanted, axis=1), 0.5)
    length = np.linalg.norm(speeds, axis=1)
    return np.asarray(speeds * np.minimum(1, most / np.maximum(length, 1e-9))[:, None])


def strolling(seed: int, count: int, *, speed_m_per_s: float = 1.2) -> Wish:
    """Each goes its own way, in a wide arc that brings them back."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, count)
    turns = np.where(np.arange(count) % 2, _TURN_PER_S, -_TURN_PER_S)

    def wish(time_s: float, _: Places) -> Places:
        headings = angles + turns * time_s
        return speed_m_per_s * np.stack([np.cos(headings), np.sin(headings)], axis=1)

    return wish


def panicking(calm: Wish, *, since_s: float, from_m: tuple[float, float], speed_m_per_s: float = 4.0) -> Wish:
    """All run away from a place since a moment."""

    def wish(time_s: float, places: Places) -> Places:
        if time_s < since_s:
            return calm(time_s, places)
        away = places - np.array(from_m)
        return np.asarray(speed_m_per_s * away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-6))

    return wish


def meeting(count: int, *, speed_m_per_s: float = 1.2) -> Wish:
    """Every second one walks to the left, the others to the right."""
    ways = speed_m_per_s * np.stack([np.where(np.arange(count) % 2, -1.0, 1.0), np.zeros(count)], axis=1)
    return lambda _, __: ways
