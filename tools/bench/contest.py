"""Trackers on the same detections, against the same truth, in one process.

Runs in an environment that `tools/bench/tracking.py` makes, which has the packages imported here; Vigie's own has them not.
Reads a contest from a file, prints the results in JSON.
"""

import argparse
import contextlib
import io
import json
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Protocol, TypeVar

import numpy as np
import supervision  # type: ignore[import-not-found]
import trackers  # type: ignore[import-not-found]
from numpy.typing import NDArray
from trackeval.metrics import CLEAR, HOTA, Identity  # type: ignore[import-not-found]

from cluster.detections import Detections
from cluster.tracking.tracker import Tracker, TrackerParameters
from vigie.vocabulary import ObjectClass

PEERS = {
    "BoT-SORT": trackers.BoTSORTTracker,
    "C-BIoU": trackers.CBIoUTracker,
    "ByteTrack": trackers.ByteTrackTracker,
    "OC-SORT": trackers.OCSORTTracker,
    "SORT": trackers.SORTTracker,
}
SEED = 1
KEPT = 0.6
SAME_BOX_IOU = 0.5

T = TypeVar("T")
Found = tuple[NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a contest.

    Attributes:
        time_s: since the clip's start.
        detections: (n, 5): x0, y0, x1, y1, score.
        truth: (m, 5): id, x0, y0, x1, y1.
    """

    time_s: float
    detections: NDArray[np.float64]
    truth: NDArray[np.float64]


class Contestant(Protocol):
    """A tracker at its start."""

    def run(self, frames: Sequence[Frame]) -> tuple[list[Found], float]:
        """Ids and boxes of each frame, and CPU seconds that all of them took."""
        ...


@dataclass(frozen=True, slots=True)
class Ours:
    """Vigie's tracker, as it is by default."""

    def run(self, frames: Sequence[Frame]) -> tuple[list[Found], float]:
        """See Contestant."""
        tracker = Tracker(TrackerParameters())
        steps = [partial(tracker.step, _detections(frame), frame.time_s) for frame in frames]
        tracks, cpu_s = _timed(steps)
        return [(found.ids[found.unseen_s == 0], found.boxes[found.unseen_s == 0]) for found in tracks], cpu_s


@dataclass(frozen=True, slots=True)
class Peer:
    """One of the library's, as it is by default, told the times of frames or not."""

    name: str
    is_told_times: bool

    def run(self, frames: Sequence[Frame]) -> tuple[list[Found], float]:
        """See Contestant."""
        tracker = PEERS[self.name]()
        times = [{"timestamp": frame.time_s} if self.is_told_times else {} for frame in frames]
        steps = [partial(tracker.update, _foreign(frame), **told) for frame, told in zip(frames, times, strict=True)]
        found, cpu_s = _timed(steps)
        return [(each.tracker_id[each.tracker_id >= 0], each.xyxy[each.tracker_id >= 0]) for each in found], cpu_s


def main() -> None:
    """Holds the contest and prints its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contest", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    frames = _read(arguments.contest)
    contestants: dict[str, Contestant] = {"Vigie": Ours()}
    contestants |= {name: Peer(name, is_told_times=False) for name in PEERS}
    contestants |= {f"{name}, told times": Peer(name, is_told_times=True) for name in PEERS}
    quality = {
        cut: {name: _quality(contestant, some) for name, contestant in contestants.items()} for cut, some in _cuts(frames).items()
    }
    print(json.dumps({"quality": quality, "cpu_ms": _cpu_ms(contestants, frames, arguments.runs)}))


def _read(path: Path) -> list[Frame]:
    with np.load(path) as contest:
        detections = np.split(contest["detections"], np.cumsum(contest["detection_counts"])[:-1])
        truth = np.split(contest["truth"], np.cumsum(contest["truth_counts"])[:-1])
        return [Frame(*frame) for frame in zip(contest["times_s"].tolist(), detections, truth, strict=True)]


def _cuts(frames: list[Frame]) -> dict[str, list[Frame]]:
    kept = np.random.default_rng(SEED).random(len(frames)) < KEPT
    uneven = [frame for frame, is_kept in zip(frames, kept, strict=True) if is_kept]
    return {"all": frames, "every_second": frames[::2], "uneven": uneven}


def _cpu_ms(contestants: dict[str, Contestant], frames: Sequence[Frame], runs: int) -> dict[str, float]:
    """Median CPU time a frame. They take turns, so that all meet the same machine."""
    turns = [{name: contestant.run(frames)[1] for name, contestant in contestants.items()} for _ in range(runs)]
    return {name: 1000 * median(turn[name] for turn in turns) / len(frames) for name in contestants}


def _detections(frame: Frame) -> Detections:
    boxes = frame.detections.astype(np.float32)
    return Detections(boxes[:, :4], boxes[:, 4], np.full(len(boxes), ObjectClass.PERSON, np.int16))


def _foreign(frame: Frame) -> supervision.Detections:
    boxes = frame.detections.astype(np.float32)
    return supervision.Detections(xyxy=boxes[:, :4], confidence=boxes[:, 4], class_id=np.zeros(len(boxes), int))


def _timed(steps: Iterable[Callable[[], T]]) -> tuple[list[T], float]:
    start_s = time.process_time()
    results = [step() for step in steps]
    return results, time.process_time() - start_s


def _quality(contestant: Contestant, frames: Sequence[Frame]) -> dict[str, float]:
    found, _ = contestant.run(frames)
    data = _trackeval_data(frames, found)
    with contextlib.redirect_stdout(io.StringIO()):  # where TrackEval reports its settings
        clear = CLEAR({"THRESHOLD": SAME_BOX_IOU}).eval_sequence(data)
        identity = Identity({"THRESHOLD": SAME_BOX_IOU}).eval_sequence(data)
        hota = HOTA().eval_sequence(data)
    return {
        "mota": round(float(clear["MOTA"]), 3),
        "idf1": round(float(identity["IDF1"]), 3),
        "hota": round(float(np.mean(hota["HOTA"])), 3),
        "switches": int(clear["IDSW"]),
    }


def _trackeval_data(frames: Sequence[Frame], found: Sequence[Found]) -> dict[str, object]:
    """What TrackEval wants: ids from 0 without gaps, and the overlap of all pairs."""
    true_ids = [frame.truth[:, 0].astype(int) for frame in frames]
    given_ids = [ids for ids, _ in found]
    true_numbers, given_numbers = _numbered(true_ids), _numbered(given_ids)
    return {
        "num_timesteps": len(frames),
        "num_gt_ids": len(true_numbers),
        "num_tracker_ids": len(given_numbers),
        "num_gt_dets": sum(map(len, true_ids)),
        "num_tracker_dets": sum(map(len, given_ids)),
        "gt_ids": [np.array([true_numbers[number] for number in ids], int) for ids in true_ids],
        "tracker_ids": [np.array([given_numbers[number] for number in ids], int) for ids in given_ids],
        "similarity_scores": [
            supervision.box_iou_batch(frame.truth[:, 1:], np.asarray(boxes, float))
            for frame, (_, boxes) in zip(frames, found, strict=True)
        ],
    }


def _numbered(ids: Iterable[NDArray[np.int64]]) -> dict[int, int]:
    return {number: index for index, number in enumerate(dict.fromkeys(number for frame in ids for number in frame.tolist()))}


if __name__ == "__main__":
    main()
