"""Which pictures of a stream are worth decoding while nothing happens. Pure."""

from dataclasses import dataclass

from cluster.video.packet_alarm import PacketAlarm
from cluster.video.presentation import Turn

LOOK_S = 2.0
"""How far apart pictures are while it dozes."""

EARLIEST_LOOK_S = 0.75 * LOOK_S
"""A key frame is looked at from here on: it costs no other packet."""

LATEST_LOOK_S = 1.25 * LOOK_S
"""Where no key frame has come by then, all that was held since the last is decoded."""

WAKE_S = 3.0
"""So long it stays awake after an alarm: time enough to see what there is, and to be told so."""

REST_S = 30.0
"""So long it does not doze after something moved without an alarm; twice as long each time in a row, up to MOST_REST_S."""

MOST_REST_S = 1_800.0


@dataclass(slots=True)
class Doze:
    """Chooses among the pictures that are due: all of them while awake, and while it dozes one now and then.

    It dozes where it may (`is_drowsy`) and once it knows the packets of the quiet scene; unusual ones wake it. Who ends the
    permission has seen something. Where the packets told nothing of it, it does not doze for a while, but goes on listening, and
    dozes again once they do tell: a camera whose packets say nothing is not dozed for long.
    """

    _alarm: PacketAlarm | None = None
    _is_due: bool = False
    _given_s: float = float("-inf")
    _alarmed_s: float = float("-inf")
    _rested_s: float = float("-inf")
    _rest_s: float = REST_S

    def step(self, turn: Turn, time_s: float, *, is_due: bool, is_drowsy: bool) -> bool:
        """Whether to decode a picture.

        Args:
            turn: the picture.
            time_s: its capture time; rises.
            is_due: whether it would be decoded without dozing. One that is not decoded though due makes the next one due.
            is_drowsy: whether it may doze.
        """
        is_asleep = self._may_sleep(turn, time_s) if is_drowsy else self._stay_awake(time_s)
        self._is_due = self._is_due or is_due
        is_wanted = self._is_due and (not is_asleep or self._is_look(turn, time_s))
        if is_wanted:
            self._is_due, self._given_s = False, time_s
        return is_wanted

    def _may_sleep(self, turn: Turn, time_s: float) -> bool:
        if self._alarm is None:
            self._alarm = PacketAlarm(time_s)
        if self._alarm.step(time_s, turn.size_bytes, is_key=turn.is_key):
            self._alarmed_s = time_s
        return self._alarm.is_taught and not self._is_alarmed(time_s) and time_s >= self._rested_s

    def _stay_awake(self, time_s: float) -> bool:
        if self._alarm and self._alarm.is_taught:
            if self._is_alarmed(time_s):
                self._rested_s, self._rest_s = time_s, REST_S
            else:
                self._rested_s, self._rest_s = time_s + self._rest_s, min(2 * self._rest_s, MOST_REST_S)
        self._alarm = None
        return False

    def _is_alarmed(self, time_s: float) -> bool:
        return time_s - self._alarmed_s < WAKE_S

    def _is_look(self, turn: Turn, time_s: float) -> bool:
        since_s = time_s - self._given_s
        return since_s >= LATEST_LOOK_S or (turn.is_key and since_s >= EARLIEST_LOOK_S)
