import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.inference.calibration import CALIBRATION, read_calibrations
from cluster.inference.hardware import CPU
from cluster.inference.pack import load_pack
from cluster.inference.session import ModelSession
from tests.cluster.inference.networks import detr_network, write_pack
from tests.tools.conftest import Outcome
from tools.errors import ExitCode

Vigie = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _on_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_PROVIDERS", "cpu")


@pytest.mark.parametrize(("batch", "sizes"), [("n", [1, 2, 4]), (1, [1])])
def test_every_number_of_pictures_that_the_network_takes_is_measured(
    vigie: Vigie, tmp_path: Path, batch: int | str, sizes: list[int]
) -> None:
    pack = write_pack(tmp_path, detr_network(batch=batch))
    outcome = vigie("bench", "model", "--pack", str(pack), "--most", "5", "--seconds", "0.01", "--json")
    found = json.loads(outcome.out)
    assert [point["batch"] for point in found["points"]] == sizes
    assert found["provider"] == CPU
    assert found["best_batch"] in sizes
    assert not (pack / CALIBRATION).exists()


def test_what_is_written_is_what_sessions_on_such_a_machine_use(vigie: Vigie, tmp_path: Path) -> None:
    pack = write_pack(tmp_path, detr_network(batch="n"))
    outcome = vigie("bench", "model", "--pack", str(pack), "--most", "8", "--seconds", "0.01", "--write")
    assert outcome.code == 0
    (written,) = read_calibrations(pack)
    assert ModelSession(load_pack(pack)).batch == written.saturation.batch


def test_file_that_holds_no_calibrations_is_not_written_over(vigie: Vigie, tmp_path: Path) -> None:
    pack = write_pack(tmp_path, detr_network())
    (pack / CALIBRATION).write_text("mine")
    outcome = vigie("bench", "model", "--pack", str(pack), "--seconds", "0.01", "--write")
    assert outcome.code == ExitCode.BAD_INPUT
    assert "delete it" in outcome.err
    assert (pack / CALIBRATION).read_text() == "mine"
