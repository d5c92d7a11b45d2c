"""The way back of cameras that share a host: when it is down one of them asks, and the others return in turn. Pure.

A recorder that stops takes all its cameras down, and hundreds that come back at once may stop it again. Each process governs its
own cameras. It lets them back at a rate that is in proportion to how many it has, so that a host whose cameras are spread over
many processes sees the same rate in total as if one had them all, and nobody has to count.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self
from weakref import WeakValueDictionary

from cluster.video.reconnect import CAP_S, Backoff

WINDOW_S = 10.0
"""Cameras that are lost within this time are lost together. It is longer than the time-outs by which they notice."""

LEAST = 3
"""Cameras that make a site; fewer are as well off alone."""

SHARE = 2 / 3
"""Of the cameras that were there, so many lost together are the whole site: of those left some have not noticed yet."""

ASK_S = 0.25
"""How often those that wait ask whether the host is back."""

PROBE_S = 6.0
"""After so long another may ask as well: one whose connection hangs must not keep all waiting."""

RETURN_S = 10.0
"""In so long all cameras of a process are let back, however many they are."""

LEAST_RATE_HZ = 4.0
"""At least so many a second are let back, so that few do not wait for each other."""


class Gate(Protocol):
    """Stands between one camera and its host. A context manager: inside, the camera is one of those of the host."""

    def wait_s(self) -> float:
        """How long to wait before asking again; 0: the stream may be opened now."""
        ...

    def answered(self) -> None:
        """The host has answered: frames come, or it has said why none will."""
        ...

    def lost(self) -> None:
        """The stream could not be opened, or broke."""
        ...

    def problem(self) -> str:
        """Why one waits for another camera; empty where one does not."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Site:
    """The cameras of one host in one process. Any thread may tell and ask. Times are those of a clock that never jumps."""

    def __init__(self, random: Callable[[], float]) -> None:
        """`random`: evenly from [0, 1)."""
        self._random = random
        self._backoff = Backoff(random)
        self._lock = threading.Lock()
        # When each was lost; None for those that answer, or have not been heard of since the host came back.
        self._lost_s: dict[str, float | None] = {}
        self._is_down = False
        self._lost_together = 0
        self._probe: tuple[str, float] | None = None
        self._next_probe_s = 0.0
        self._orderly_until_s = float("-inf")
        self._turns_s: dict[str, float] = {}
        self._last_turn_s = 0.0

    @property
    def lost_together(self) -> int:
        """How many cameras the host took with it; 0 while it is not down."""
        return self._lost_together if self._is_down else 0

    def join(self, camera: str) -> None:
        """One more camera of the host."""
        with self._lock:
            self._lost_s[camera] = None

    def leave(self, camera: str) -> None:
        """The camera is read no more."""
        with self._lock:
            self._lost_s.pop(camera, None)
            self._turns_s.pop(camera, None)
            if self._probe and self._probe[0] == camera:
                self._probe = None

    def wait_s(self, camera: str, now_s: float) -> float:
        """How long the camera is to wait before it asks again; 0: its stream may be opened now."""
        with self._lock:
            if self._is_down:
                return 0.0 if self._may_probe(camera, now_s) else ASK_S
            if camera not in self._turns_s and now_s < self._orderly_until_s:
                self._turns_s[camera] = self._next_turn_s(now_s)
            wait_s = max(0.0, self._turns_s.get(camera, now_s) - now_s)
            if not wait_s:
                self._turns_s.pop(camera, None)
            return wait_s

    def answered(self, camera: str, now_s: float) -> None:
        """The host has answered this camera: it is not down, and the others may return."""
        with self._lock:
            self._lost_s[camera] = None
            if self._is_down:
                self._come_back(now_s)

    def lost(self, camera: str, now_s: float) -> None:
        """This camera's stream could not be opened, or broke."""
        with self._lock:
            if self._probe and self._probe[0] == camera:
                self._probe, self._next_probe_s = None, now_s + self._backoff.next_s()
            if self._lost_s.get(camera) is None:
                self._lost_s[camera] = now_s
                self._look_for_the_site(now_s)

    def _look_for_the_site(self, now_s: float) -> None:
        """Those that were lost long ago say nothing: a camera that is broken has no part in what happens to its host."""
        lost = sum(1 for lost_s in self._lost_s.values() if lost_s is not None and now_s - lost_s <= WINDOW_S)
        left = sum(1 for lost_s in self._lost_s.values() if lost_s is None)
        if self._is_down:
            self._lost_together = max(self._lost_together, lost)
        elif lost >= LEAST and lost >= SHARE * (lost + left):
            self._is_down, self._lost_together = True, lost
            self._probe, self._next_probe_s = None, now_s + self._backoff.next_s()
            self._turns_s.clear()

    def _may_probe(self, camera: str, now_s: float) -> bool:
        is_free = self._probe is None or now_s - self._probe[1] > PROBE_S
        if not is_free or now_s < self._next_probe_s:
            return False
        self._probe = camera, now_s
        return True

    def _come_back(self, now_s: float) -> None:
        self._is_down, self._probe, self._last_turn_s = False, None, now_s
        self._backoff.reset()
        # Those that wait ask soon, and some only notice now that they were lost.
        self._orderly_until_s = now_s + RETURN_S + CAP_S
        # Whoever is lost from now on is lost anew.
        self._lost_s = dict.fromkeys(self._lost_s)

    def _next_turn_s(self, now_s: float) -> float:
        rate_hz = max(LEAST_RATE_HZ, len(self._lost_s) / RETURN_S)
        self._last_turn_s = max(now_s, self._last_turn_s) + (0.5 + self._random()) / rate_hz
        return self._last_turn_s


class Sites:
    """The hosts of a process's cameras."""

    def __init__(self, random: Callable[[], float], monotonic: Callable[[], float]) -> None:
        """`random`: evenly from [0, 1). `monotonic`: seconds on a clock that never jumps."""
        self._random = random
        self._monotonic = monotonic
        self._sites: WeakValueDictionary[str, Site] = WeakValueDictionary()
        self._lock = threading.Lock()

    def gate(self, host: str, camera: str) -> Gate:
        """What stands between a camera and its host; nothing where it has none."""
        if not host:
            return OPEN
        with self._lock:
            site = self._sites.setdefault(host, Site(self._random))
        return _SiteGate(site, host, camera, self._monotonic)


@dataclass(frozen=True, slots=True)
class _SiteGate:
    """See Gate."""

    site: Site
    host: str
    camera: str
    monotonic: Callable[[], float]

    def wait_s(self) -> float:
        return self.site.wait_s(self.camera, self.monotonic())

    def answered(self) -> None:
        self.site.answered(self.camera, self.monotonic())

    def lost(self) -> None:
        self.site.lost(self.camera, self.monotonic())

    def problem(self) -> str:
        count = self.site.lost_together
        if not count:
            return ""
        return f"its host {self.host} is down: {count} cameras were lost together; it is opened again once one of them is"

    def __enter__(self) -> Self:
        self.site.join(self.camera)
        return self

    def __exit__(self, *_: object) -> None:
        self.site.leave(self.camera)


class _OpenGate:
    """Stands in nobody's way."""

    def wait_s(self) -> float:
        return 0.0

    def answered(self) -> None:
        pass

    def lost(self) -> None:
        pass

    def problem(self) -> str:
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


OPEN: Gate = _OpenGate()
"""For a stream that shares its host with nobody."""
