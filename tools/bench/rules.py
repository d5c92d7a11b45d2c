"""`vigie bench rules`: what each rule costs a frame, beside decoding and inference in the same run."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Annotated, TypeVar

import cv2
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from cluster.analysis.pipeline import CameraPipeline
from cluster.analysis.scene import RuleContext
from cluster.config import CameraConfig, camera_config
from cluster.inference.flames import rule_context
from cluster.inference.hardware import CPU_ONLY
from cluster.inference.pack import default_pack_path, load_pack
from cluster.inference.session import ModelSession
from cluster.video.pyav import open_source
from cluster.video.sampling import Sampler
from cluster.video.stream import Timeouts
from cluster.video.url import resolve
from tools.bench.busy_scene import assignment, staged, with_made
from tools.connection import AsJson
from tools.display import console
from vigie.vocabulary import Kind

T = TypeVar("T")

_SMALL = "small picture"


@dataclass(slots=True)
class Stopwatch:
    """CPU milliseconds that this process spent on some things, by their names."""

    spent_ms: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def __call__(self, name: str, act: Callable[[], T]) -> T:
        """Does something, and counts it under a name."""
        start_s = time.process_time()
        result = act()
        self.spent_ms[name] += 1000 * (time.process_time() - start_s)
        return result


@dataclass(frozen=True, slots=True)
class Round:
    """CPU milliseconds a frame, in one round.

    Attributes:
        decode_ms: of decoding and scaling a frame.
        inference_ms: of finding things in it.
        rules_ms: of each rule, and of the small picture that they share.
    """

    decode_ms: float
    inference_ms: float
    rules_ms: Mapping[str, float]

    @property
    def all_ms(self) -> float:
        """Of all rules together."""
        return sum(self.rules_ms.values())


def rules(
    rounds: Annotated[int, typer.Option(min=1, max=100, help="Figures are the medians of so many rounds.")] = 5,
    seconds: Annotated[float, typer.Option(min=2, max=34, help="How much of the scene is played.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Measures the CPU time of each rule, a frame, where it has something to do.

    People of the demo's clip walk through a scene into which a case, flames, a fall and a weapon are drawn. Rules look at it at
    320x180 pixels, as often as the most demanding of them needs. Decoding and inference of the same frames stand beside them.

    Example: vigie bench rules --json
    """
    cv2.setNumThreads(1)
    config = camera_config(assignment())
    session = ModelSession(load_pack(default_pack_path()), hardware=CPU_ONLY)
    measured = []
    with Console(stderr=True, markup=False, highlight=False).status("") as status:
        for number in range(1, rounds + 1):
            status.update(f"round {number} of {rounds}")
            measured.append(measured_round(config, session, rule_context(config.rules), seconds=seconds))
    _show(_figures(measured), as_json=as_json)


def measured_round(config: CameraConfig, session: ModelSession, context: RuleContext, *, seconds: float) -> Round:
    """Plays the scene once."""
    watch, frames = Stopwatch(), 0
    pipeline = CameraPipeline(config, context)
    timed = {parameters.kind.name: parameters.rule(context) for parameters in config.rules}
    url = resolve(config.stream.url, lambda _: None)
    with open_source(config.stream, url=url, fit=session.fit, timeouts=Timeouts(), now=lambda: 0.0) as source:
        coming = source.frames(Sampler(config.analysis_rate_hz).is_due)
        while (frame := watch("decode", partial(next, coming, None))) and frame.capture_time_s < seconds:
            frame = staged(frame)
            (found,) = watch("inference", partial(session.detect, [frame.picture]))
            found = with_made(found, frame.capture_time_s)
            # What the pipeline's own rules have made of the scene must not be there already when they are timed.
            scene = replace(pipeline.step(frame, found, frozenset(Kind)).scene)
            watch(_SMALL, partial(getattr, scene, "small_grey"))
            for name, rule in timed.items():
                watch(name, partial(rule.step, scene))
            frames += 1
    costs_ms = {name: spent_ms / frames for name, spent_ms in watch.spent_ms.items()}
    return Round(costs_ms.pop("decode"), costs_ms.pop("inference"), costs_ms)


def _figures(measured: Sequence[Round]) -> dict[str, object]:
    all_ms = median(each.all_ms for each in measured)
    rules_ms = {name: median(each.rules_ms[name] for each in measured) for name in measured[0].rules_ms}
    return {
        "rounds": len(measured),
        "decode_ms": round(median(each.decode_ms for each in measured), 3),
        "inference_ms": round(median(each.inference_ms for each in measured), 3),
        "all_rules_ms": round(all_ms, 3),
        "all_rules_to_decode": round(median(each.all_ms / each.decode_ms for each in measured), 3),
        "all_rules_to_inference": round(median(each.all_ms / each.inference_ms for each in measured), 3),
        "rules_ms": {name: round(cost_ms, 3) for name, cost_ms in rules_ms.items()},
        "shares": {name: round(cost_ms / sum(rules_ms.values()), 3) for name, cost_ms in rules_ms.items()},
    }


def _show(figures: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    table = Table("figure", "value", box=box.SIMPLE)
    for name, value in figures.items():
        if isinstance(value, dict):
            for part, figure in value.items():
                table.add_row(f"{name}: {part}", f"{figure:.3f}")
        else:
            table.add_row(name, str(value))
    console().print(table)
