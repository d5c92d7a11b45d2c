"""What must be reached on the labelled footage beside the project: the same defaults for every camera."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

BAR = 0.9
BOTH_WAYS = ("ABANDONED_OBJECT", "CROWD_DENSITY", "CROWD_MOVEMENT", "FIRE", "WRONG_WAY", "ZONE_INTRUSION")
# Grey pictures of bicycles 20 pixels high: without a bar.
HARD = "ucsd_*"

Found = dict[str, Any]

pytestmark = [pytest.mark.shared, pytest.mark.timeout(1800)]


@pytest.fixture(scope="session")
def found(shared: Path) -> Found:
    """What an evaluation of all labels says."""
    labels = str(shared / "footage" / "labels")
    command = [sys.executable, "-m", "tools.main", "evaluate", labels, "--apart", HARD, "--json"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return cast("Found", json.loads(process.stdout))


@pytest.mark.parametrize("kind", BOTH_WAYS)
def test_events_are_found_and_signals_are_right(found: Found, kind: str) -> None:
    figures = found["kinds"][kind]

    assert figures["recall"] >= BAR, table(found, kind)
    assert figures["precision"] >= BAR, table(found, kind)


def test_people_who_fall_are_found(found: Found) -> None:
    assert found["kinds"]["PERSON_DOWN"]["recall"] >= BAR, table(found, "PERSON_DOWN")


def test_nobody_is_said_to_have_fallen_where_nobody_did(found: Found) -> None:
    wrong = [
        (clip["label"], signal["opened_s"], signal["reason"])
        for clip in found["clips"]
        if not any(event["kind"] == "PERSON_DOWN" for event in clip["events"])
        for signal in clip["signals"]
        if signal["kind"] == "PERSON_DOWN"
    ]

    assert not wrong, table(found, "PERSON_DOWN")


def test_nothing_is_raised_where_nothing_happens(found: Found) -> None:
    wrong = [
        (clip["label"], signal["kind"], signal["opened_s"], signal["reason"])
        for clip in found["clips"]
        if not clip["events"]
        for signal in clip["signals"]
    ]

    assert not wrong


def table(found: Found, kind: str) -> str:
    """The figures of all kinds, and all that went wrong with one."""
    return "\n".join(["", *_figures(found), *_faults(found, kind)])


def _figures(found: Found) -> Iterator[str]:
    for kind, each in found["kinds"].items():
        counts = f"found {each['found']}, missed {each['missed']}, false {each['false_alarms']}"
        yield f"{kind:17} {counts}, recall {each['recall']}, precision {each['precision']}"


def _faults(found: Found, kind: str) -> Iterator[str]:
    for clip in found["clips"]:
        for event in clip["events"]:
            if event["kind"] == kind and not event["found"]:
                yield f"{clip['label']}: missed {event['start_s']} to {event['end_s']} s"
        for signal in clip["signals"]:
            if signal["kind"] == kind and not signal["met"]:
                yield f"{clip['label']}: false at {signal['opened_s']} s: {signal['reason']}"
