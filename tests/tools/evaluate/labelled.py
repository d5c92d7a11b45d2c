"""Labels as a test writes them."""

import hashlib
import json
from pathlib import Path

GROUND = {"image": [[0, 0], [64, 0], [64, 48], [0, 48]], "metres": [[0, 0], [6, 0], [6, 4], [0, 4]]}
DOOR = [[0, 0], [64, 0], [64, 48], [0, 48]]
INTRUSION = {"kind": "ZONE_INTRUSION", "zone": "door", "polygon": DOOR, "who": ["person"], "dwell_s": 1.0}


def fields(**more: object) -> dict[str, object]:
    """A label's content: a camera that watches a door through which nobody comes."""
    return {
        "clip": "clips/door.mp4",
        "fps": 25.0,
        "width": 64,
        "height": 48,
        "frames": 50,
        "sha256": "0" * 64,
        "watch": [INTRUSION],
        "events": [],
        "says_nothing_about": ["FIRE"],
        **more,
    }


def intrusion(start_s: float, end_s: float, **more: object) -> dict[str, object]:
    """Someone in the door."""
    return {"kind": "ZONE_INTRUSION", "start_s": start_s, "end_s": end_s, "zone": "door", **more}


def write_label(path: Path, **more: object) -> Path:
    """A label file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(fields(**more)))
    return path


def sha256(path: Path) -> str:
    """Of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
