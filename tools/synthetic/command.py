"""`vigie synthesize`: a made scene as a clip with its label."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console
from rich.progress import track

from tools.errors import CommandError, ExitCode
from tools.synthetic.scenes import SCENES
from tools.synthetic.stage import Stage
from tools.venue_file.parts import unknown


def synthesize(
    scene: Annotated[str, typer.Argument(help=f"One of {', '.join(SCENES)}.", metavar="SCENE")],
    out: Annotated[Path, typer.Option(help="Folder for SCENE.avi and SCENE.json.", metavar="FOLDER")] = Path(),
    seed: Annotated[int, typer.Option(min=0, max=2**31, help="Another seed is another scene of the same kind.")] = 0,
) -> None:
    """Writes a made scene as a clip and the label that says what happens in it.

    Example: vigie synthesize left-behind --out made

    Its people are drawn figures, which a detector trained on photographs hardly finds: it is for looking at rules that go by
    pixels, and at what the tests see. It says nothing about accuracy.
    """
    if scene not in SCENES:
        raise CommandError(f"SCENE is {scene!r}; {unknown(scene, list(SCENES))}", ExitCode.BAD_INPUT)
    stage, clip = SCENES[scene](seed), out / f"{scene}.avi"
    try:
        out.mkdir(parents=True, exist_ok=True)
        frames = _write(stage, clip)
        (out / f"{scene}.json").write_text(json.dumps(_label(stage, clip, frames, seed), indent=1), encoding="utf-8")
    except OSError as error:
        problem = f"cannot be written: {error.strerror}; name a folder that can"
        raise CommandError(f"--out {out}: {problem}", ExitCode.BAD_INPUT) from error
    print(f"{clip}: {frames} frames; its label: {clip.with_suffix('.json')}")


def _write(stage: Stage, clip: Path) -> int:
    size, count = (stage.camera.width, stage.camera.height), round(stage.duration_s * stage.rate_hz)
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"MJPG"), stage.rate_hz, size)
    if not writer.isOpened():
        raise CommandError(f"{clip}: cannot be written; name a folder that can", ExitCode.BAD_INPUT)
    stderr = Console(stderr=True)
    for frame, _ in track(stage.frames(), "drawing", count, console=stderr, transient=True, disable=not stderr.is_terminal):
        writer.write(frame.picture)
    writer.release()
    return count


def _label(stage: Stage, clip: Path, frames: int, seed: int) -> dict[str, object]:
    return {
        "clip": clip.name,
        "fps": stage.rate_hz,
        "width": stage.camera.width,
        "height": stage.camera.height,
        "frames": frames,
        "watch": list(stage.watch),
        "events": [{"kind": cause.kind.name, "start_s": cause.start_s, "end_s": cause.end_s} for cause in stage.causes],
        "says_nothing_about": [],
        "label_quality": "by construction",
        "source": f"vigie synthesize {clip.stem} --seed {seed}",
        "sha256": sha256(clip.read_bytes()).hexdigest(),
    }
