"""An evaluation as one JSON document. Pure."""

from collections.abc import Mapping

from cluster.inference.models import Models
from cluster.inference.pack import ModelPack
from tools.estimates import Estimate
from tools.evaluate.evaluation import Evaluation
from tools.evaluate.figures import Figures
from tools.evaluate.labels import Event
from tools.evaluate.matching import Meeting, Signal
from tools.evaluate.results import ClipResult, Run
from vigie.vocabulary import Kind

Fields = dict[str, object]


def document(evaluation: Evaluation, models: Models) -> Fields:
    """The plain run, and beside it each variation that was asked for. Times are seconds from a clip's start."""
    plain, *others = evaluation.runs
    return {
        "pack": _pack(models.things),
        "weapon_pack": models.weapons and _pack(models.weapons),
        **_run(plain),
        "variations": [_run(run) for run in others],
        "failures": [{"label": str(file.path), "problem": problem} for file, problem in evaluation.failures],
    }


def _pack(pack: ModelPack) -> Fields:
    return {"name": pack.manifest.name, "version": pack.manifest.version, "sha256": pack.manifest.sha256}


def _run(run: Run) -> Fields:
    return {
        "under": run.variation.under,
        "without": sorted(run.variation.without),
        "kinds": _kinds(run.figures()),
        "apart": _kinds(run.figures(apart=True)),
        "clips": [_clip(clip) for clip in run.clips],
    }


def _kinds(found: Mapping[Kind, Figures]) -> Fields:
    return {kind.name: _figures(each) for kind, each in found.items()}


def _figures(figures: Figures) -> Fields:
    return {
        "found": figures.found,
        "missed": figures.missed,
        "false_alarms": figures.false_alarms,
        **_estimate("recall", figures.recall),
        **_estimate("precision", figures.precision),
        **_estimate("f1", figures.f1),
        **_estimate("false_alarms_per_camera_hour", figures.false_alarms_per_camera_hour),
        "watched_s": round(figures.watched_s, 3),
        "delay_s": {"median": _rounded(figures.median_delay_s), "max": _rounded(figures.greatest_delay_s)},
    }


def _estimate(name: str, estimate: Estimate | None) -> Fields:
    """A figure and its 95 % interval; null where there is none."""
    if estimate is None:
        return {name: None, f"{name}_interval": None}
    return {name: _rounded(estimate.value), f"{name}_interval": [_rounded(estimate.low), _rounded(estimate.high)]}


def _clip(clip: ClipResult) -> Fields:
    return {
        "label": clip.file.name,
        "clip": clip.label.clip,
        "apart": clip.file.is_apart,
        "rate_hz": clip.rate_hz,
        "watched_s": round(clip.watched_s, 3),
        "looks": round(clip.looks, 1),
        "kinds": [kind.name for kind in sorted(clip.kinds)],
        "events": [_event(event, meeting) for event, meeting in clip.outcome.events],
        "signals": [_signal(signal, meeting) for signal, meeting in clip.outcome.signals],
    }


def _event(event: Event, meeting: Meeting | None) -> Fields:
    return {
        "kind": event.kind.name,
        "zone": event.zone,
        "start_s": event.start_s,
        "end_s": event.end_s,
        "box": event.box,
        "found": meeting is not None,
        "delay_s": meeting and _rounded(meeting.delay_s),
    }


def _signal(signal: Signal, meeting: Meeting | None) -> Fields:
    return {
        "kind": signal.kind.name,
        "zone": signal.zone,
        "opened_s": _rounded(signal.opened_s),
        "closed_s": _rounded(signal.closed_s),
        "score": _rounded(signal.score),
        "reason": signal.reason,
        "box": signal.box and [round(side, 1) for side in signal.box],
        "met": meeting is not None,
        "delay_s": meeting and _rounded(meeting.delay_s),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
