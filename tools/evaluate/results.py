"""What an evaluation found: what became of each clip in each variation, and the figures of each kind. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from cluster.analysis.abandoned_object import STATIONARY_S
from tools.evaluate.conditions import CONDITIONS
from tools.evaluate.figures import Figures
from tools.evaluate.labels import Event, Label, LabelFile
from tools.evaluate.matching import Outcome, matched
from tools.evaluate.player import Played
from tools.evaluate.variations import Variation
from tools.venue_file.rules import AbandonedObject
from vigie.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class ClipResult:
    """What became of one clip in one variation.

    Attributes:
        file: its label.
        label: as the variation shows the clip.
        rate_hz: frames analysed a second.
        watched_s: how long it was watched.
        looks: how many pictures the detector looked at.
        kinds: those that count.
        outcome: of the events and signals of these kinds.
    """

    file: LabelFile
    label: Label
    rate_hz: float
    watched_s: float
    looks: float
    kinds: frozenset[Kind]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Run:
    """One variation of all clips."""

    variation: Variation
    clips: tuple[ClipResult, ...]

    def figures(self, *, apart: bool = False) -> Mapping[Kind, Figures]:
        """Those of each kind that counts in some clip, in order of the kinds: of the set that is reported apart, or the rest."""
        clips = [clip for clip in self.clips if clip.file.is_apart is apart]
        kinds = sorted(frozenset[Kind]().union(*(clip.kinds for clip in clips)))
        return {kind: _figures(kind, [clip for clip in clips if kind in clip.kinds]) for kind in kinds}


def run_of(variation: Variation, played: Iterable[tuple[LabelFile, Played]], place: int, kinds: frozenset[Kind]) -> Run:
    """What became of clips in a variation.

    Args:
        variation: under whose condition they were played.
        played: what each gave.
        place: of the variation's pipeline among those that watched them.
        kinds: what was watched for.
    """
    return Run(variation, tuple(_judged(variation, file, result, place, kinds) for file, result in played))


def _judged(variation: Variation, file: LabelFile, played: Played, place: int, kinds: frozenset[Kind]) -> ClipResult:
    label = CONDITIONS[variation.under].labelled(file.label)
    counted = label.counted & kinds & variation.kinds
    events = [event for event in label.events if event.kind in counted]
    signals = [signal for signal in played.signals[place] if signal.kind in counted]
    outcome = matched(events, signals, partial(due_s, label))
    return ClipResult(file, label, played.rate_hz, played.watched_s, played.looks, counted, outcome)


def due_s(label: Label, event: Event) -> float:
    """When an event can be told of at the earliest: who falls must have come to lie, and a thing must have been left for long."""
    if event.kind is Kind.ABANDONED_OBJECT:
        rules = (watch.rule for watch in label.watch)
        given = [rule.stationary_s for rule in rules if isinstance(rule, AbandonedObject) and rule.stationary_s is not None]
        return event.start_s + (given[0] if given else STATIONARY_S)
    return event.start_s if event.lying_from_s is None else event.lying_from_s


def _figures(kind: Kind, clips: Sequence[ClipResult]) -> Figures:
    return Figures.of((clip.outcome.of(kind) for clip in clips), sum(clip.watched_s for clip in clips))
