"""All clips in all variations, several at a time: whatever their number, the results are the same and in the same order."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from tools.evaluate.labels import LabelFile
from tools.evaluate.player import Failed, Job, Played, play
from tools.evaluate.results import Run, run_of
from tools.evaluate.variations import Variation
from vigie.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate.

    Attributes:
        files: the labels.
        variations: the plain one first.
        kinds: what to watch for, of what the labels name.
        pack: folder of the model pack; None: the small one that Vigie ships.
        weapon_pack: folder of the model pack that finds weapons; None: there is none.
        rate_hz: frames analysed a second; None: as each camera's rules need.
        gating: whether the detector looks only where something has changed.
        with_pictures: whether the signals of the plain variation have pictures.
    """

    files: Sequence[LabelFile]
    variations: Sequence[Variation]
    kinds: frozenset[Kind]
    pack: Path | None = None
    weapon_pack: Path | None = None
    rate_hz: float | None = None
    gating: bool = True
    with_pictures: bool = False

    def jobs(self) -> Iterator[Job]:
        """Each clip once a condition, the longest first, so that none is begun when the others are over."""
        for file in sorted(self.files, key=lambda file: -file.label.length_s):
            for under in dict.fromkeys(variation.under for variation in self.variations):
                yield Job(
                    file=file,
                    under=under,
                    without=tuple(variation.without for variation in self.variations if variation.under == under),
                    kinds=self.kinds & file.label.watched,
                    rate_hz=self.rate_hz,
                    gating=self.gating,
                    pack=self.pack,
                    weapon_pack=self.weapon_pack,
                    with_pictures=self.with_pictures and under == self.variations[0].under,
                )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of a plan.

    Attributes:
        plan: what was to be evaluated.
        runs: one a variation, in their order; without the clips that failed.
        failures: why some clips could not be played.
    """

    plan: Plan
    runs: tuple[Run, ...]
    failures: tuple[tuple[LabelFile, str], ...]


def evaluated(plan: Plan, *, processes: int, tell: Callable[[Job], None]) -> Evaluation:
    """Plays the clips. `processes`: so many at a time; 1 plays them in this one. `tell`: called after each job."""
    done: dict[tuple[Path, str], Played | Failed] = {}
    for job, result in _played(list(plan.jobs()), processes):
        done[job.file.path, job.under] = result
        tell(job)
    problems = {path: result.problem for (path, _), result in done.items() if isinstance(result, Failed)}
    return Evaluation(
        plan,
        tuple(_run(plan, variation, done, failed=problems.keys()) for variation in plan.variations),
        tuple((file, problems[file.path]) for file in plan.files if file.path in problems),
    )


def _played(jobs: Sequence[Job], processes: int) -> Iterator[tuple[Job, Played | Failed]]:
    if processes == 1:
        yield from ((job, play(job)) for job in jobs)
        return
    # Not forked: a child of a process in which ONNX Runtime has threads may hang.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        running = {pool.submit(play, job): job for job in jobs}
        for future in as_completed(running):
            yield running[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _run(plan: Plan, variation: Variation, done: Mapping[tuple[Path, str], Played | Failed], *, failed: Collection[Path]) -> Run:
    """One variation, whose pipeline is one of those that watched the clips under its condition."""
    place = [each for each in plan.variations if each.under == variation.under].index(variation)
    results = ((file, done[file.path, variation.under]) for file in plan.files if file.path not in failed)
    return run_of(variation, [(file, result) for file, result in results if isinstance(result, Played)], place, plan.kinds)
