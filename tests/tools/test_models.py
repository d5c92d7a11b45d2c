import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cluster.inference.pack import default_pack_path, load_pack
from tests.cluster.inference.networks import detr_network, write_pack
from tests.tools.conftest import Outcome
from tools.errors import ExitCode
from tools.models import archive

Vigie = Callable[..., Outcome]


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of added packs, empty."""
    folder = tmp_path / "packs"
    monkeypatch.setenv("VIGIE_PACKS_DIR", str(folder))
    return folder


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """The folder of a pack that somebody made."""
    return write_pack(tmp_path / "made", detr_network())


def tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as content:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            content.addfile(member, io.BytesIO(data))
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as content:
        for name, data in files.items():
            content.writestr(name, data)
    return path


def files(folder: Path, under: str = "") -> dict[str, bytes]:
    return {f"{under}{path.name}": path.read_bytes() for path in folder.iterdir()}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_check_runs_the_pack_that_ships_and_says_on_what(vigie: Vigie, packs: Path) -> None:
    outcome = vigie("models", "check", "--json")
    said = json.loads(outcome.out)
    assert outcome.code == ExitCode.OK
    assert said["name"] == "nanodet-g-coco"
    assert said["task"] == "object_detection"
    assert said["licence"] == "MIT"
    assert said["provider"] == "CPUExecutionProvider"
    assert said["ms_per_picture"] > 0
    assert said["detections"] == []


def test_check_lists_what_is_in_a_picture(vigie: Vigie, packs: Path, pack: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "street.png"), np.zeros((128, 128, 3), np.uint8))
    said = json.loads(vigie("models", "check", str(pack), "--picture", str(tmp_path / "street.png"), "--json").out)
    assert said["detections"] == [{"class": "person", "score": pytest.approx(0.9526), "box": [0.0, 0.0, 64.0, 64.0]}]
    shown = vigie("models", "check", str(pack), "--picture", str(tmp_path / "street.png")).out
    assert "person  0.95 at [0.0, 0.0, 64.0, 64.0]" in shown


def test_check_runs_the_classifier_of_flames_that_ships(vigie: Vigie, packs: Path) -> None:
    checked = json.loads(vigie("models", "check", "flames-efficientnet-lite0", "--json").out)
    assert (checked["task"], checked["finds"], checked["detections"]) == ("flame_verification", ["flame"], [])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], ExitCode.NOT_FOUND, "no model pack nowhere: give its folder, or one of nanodet-g-coco"),
        (["--picture", "nowhere.png"], ExitCode.BAD_INPUT, "nowhere.png is no picture that can be read"),
        (["--picture", __file__], ExitCode.BAD_INPUT, "is no picture that can be read"),
    ],
)
def test_check_names_what_is_not_there(vigie: Vigie, packs: Path, arguments: list[str], code: int, message: str) -> None:
    outcome = vigie("models", "check", *arguments)
    assert outcome.code == code
    assert message in outcome.err


def test_check_refuses_a_pack_that_is_not_what_its_hash_says(vigie: Vigie, packs: Path, pack: Path) -> None:
    (pack / "tiny.onnx").write_bytes(b"another network")
    outcome = vigie("models", "check", str(pack))
    assert outcome.code == ExitCode.BAD_INPUT
    assert "fetch the pack anew" in outcome.err


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("under", ["", "tiny/"])
def test_an_archive_is_added_and_then_known_by_name(
    vigie: Vigie, packs: Path, pack: Path, tmp_path: Path, make: Callable[[Path, dict[str, bytes]], Path], under: str
) -> None:
    path = make(tmp_path / "archive", files(pack, under))
    outcome = vigie("models", "add", str(path), "--sha256", sha256(path))
    assert outcome.code == ExitCode.OK
    assert f"use it with VIGIE_PACK={packs / 'tiny-1'}" in outcome.out
    assert load_pack(packs / "tiny-1").model == detr_network()
    assert json.loads(vigie("models", "check", "tiny-1", "--json").out)["name"] == "tiny"
    listed = [json.loads(line) for line in vigie("models", "list", "--json").out.splitlines()]
    assert [entry["name"] for entry in listed] == ["nanodet-g-coco", "flames-efficientnet-lite0", "tiny"]


def test_a_pack_for_weapons_is_used_as_one(vigie: Vigie, packs: Path, tmp_path: Path) -> None:
    weapons = write_pack(
        tmp_path / "knives", detr_network(), name="knives", task="weapon_detection", classes=["weapon", "a", "b"]
    )
    outcome = vigie("models", "add", str(weapons), "--sha256", sha256(weapons / "tiny.onnx"))
    assert f"use it with VIGIE_WEAPON_PACK={packs / 'knives-1'}" in outcome.out


def test_a_folder_is_added_by_the_hash_of_its_network(vigie: Vigie, packs: Path) -> None:
    shipped = load_pack(default_pack_path())
    assert vigie("models", "add", str(shipped.folder), "--sha256", "0" * 64).code == ExitCode.BAD_INPUT
    assert vigie("models", "add", str(shipped.folder), "--sha256", shipped.manifest.sha256).code == ExitCode.OK
    assert (packs / "nanodet-g-coco-1.0.0" / "LICENSE").is_file()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Address of a web server for the test's folder."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_archive_is_fetched_from_the_web(vigie: Vigie, packs: Path, pack: Path, tmp_path: Path, web: str) -> None:
    path = tar(tmp_path / "tiny.tar.gz", files(pack))
    assert vigie("models", "add", f"{web}/tiny.tar.gz", "--sha256", sha256(path).upper()).code == ExitCode.OK
    assert (packs / "tiny-1").is_dir()


def test_what_the_web_does_not_give_is_unreachable(vigie: Vigie, packs: Path, web: str) -> None:
    outcome = vigie("models", "add", f"{web}/none.tar.gz", "--sha256", "0" * 64)
    assert outcome.code == ExitCode.UNREACHABLE
    assert f"{web}/none.tar.gz cannot be fetched: HTTP Error 404" in outcome.err
    assert list(packs.iterdir()) == []


def test_the_same_pack_is_not_added_twice(vigie: Vigie, packs: Path, pack: Path, tmp_path: Path) -> None:
    path = tar(tmp_path / "tiny.tar.gz", files(pack))
    assert vigie("models", "add", str(path), "--sha256", sha256(path)).code == ExitCode.OK
    outcome = vigie("models", "add", str(path), "--sha256", sha256(path))
    assert outcome.code == ExitCode.CONFLICT
    assert "tiny-1 is there already: remove it first" in outcome.err


LINK = tarfile.TarInfo("tiny.onnx")
LINK.type, LINK.linkname = tarfile.SYMTYPE, "/etc/passwd"


def tar_with_link(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as content:
        content.addfile(LINK)
    return path


BAD: list[tuple[Callable[[Path], Path], str]] = [
    (lambda path: tar(path, {"../pack.yaml": b"x"}), "holds '../pack.yaml': a pack's files are plain"),
    (lambda path: tar(path, {"/pack.yaml": b"x"}), "holds '/pack.yaml': a pack's files are plain"),
    (lambda path: tar(path, {"a/b/pack.yaml": b"x"}), "holds 'a/b/pack.yaml': a pack's files are plain"),
    (lambda path: zipped(path, {"../pack.yaml": b"x"}), "holds '../pack.yaml': a pack's files are plain"),
    (tar_with_link, "holds 'tiny.onnx': a pack's files are plain"),
    (lambda path: tar(path, {f"file-{at}": b"" for at in range(33)}), "holds more than 32 files"),
    (lambda path: tar(path, {"a/pack.yaml": b"x", "b/pack.yaml": b"x"}), "cannot be unpacked as .zip or .tar.gz"),
    (lambda path: tar(path, {}), "pack.yaml cannot be read"),
    (lambda path: tar(path, {"pack.yaml": b"task: face_recognition"}), "task: Input should be 'object_detection',"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_an_archive_that_is_no_pack_leaves_nothing_behind(
    vigie: Vigie, packs: Path, tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    path = make(tmp_path / "archive")
    outcome = vigie("models", "add", str(path), "--sha256", sha256(path))
    assert outcome.code == ExitCode.BAD_INPUT
    assert message in outcome.err
    assert list(packs.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00broken", b"PK\x03\x04broken"])
def test_what_is_no_archive_is_refused(vigie: Vigie, packs: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "archive"
    path.write_bytes(content)
    outcome = vigie("models", "add", str(path), "--sha256", sha256(path))
    assert outcome.code == ExitCode.BAD_INPUT
    assert "cannot be unpacked as .zip or .tar.gz" in outcome.err
    assert list(packs.iterdir()) == []


def test_an_archive_with_another_hash_is_not_opened(
    vigie: Vigie, packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(archive, "unpack", opened)
    path = tar(tmp_path / "archive", {})
    outcome = vigie("models", "add", str(path), "--sha256", "0" * 64)
    assert outcome.code == ExitCode.BAD_INPUT
    assert f"has sha256 {sha256(path)}, not {'0' * 64}: nothing was unpacked" in outcome.err
    assert list(packs.iterdir()) == []


def test_an_archive_beyond_the_bound_is_refused_whatever_it_says_of_itself(
    vigie: Vigie, packs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 1 << 20)
    path = tar(tmp_path / "archive", {"pack.yaml": bytes(2 << 20)})
    outcome = vigie("models", "add", str(path), "--sha256", sha256(path))
    assert outcome.code == ExitCode.BAD_INPUT
    assert "is larger than 1 MiB" in outcome.err
    assert list(packs.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "code"), [("nowhere.zip", ExitCode.NOT_FOUND), ("http://127.0.0.1:1/x.zip", ExitCode.UNREACHABLE)]
)
def test_a_source_that_is_not_there_is_named(vigie: Vigie, packs: Path, source: str, code: int) -> None:
    outcome = vigie("models", "add", source, "--sha256", "0" * 64)
    assert outcome.code == code
    assert source in outcome.err


def test_list_shows_what_is_wrong_with_a_pack(vigie: Vigie, packs: Path) -> None:
    write_pack(packs / "odd", b"", task="gait_recognition")
    listed = [json.loads(line) for line in vigie("models", "list", "--json").out.splitlines()]
    assert "task: Input should be" in listed[-1]["problem"]
    assert "unusable" in vigie("models", "list").out
