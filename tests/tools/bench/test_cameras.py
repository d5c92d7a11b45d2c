import pytest

from tests.tools.bench.test_scenes import label_file
from tools.bench.cameras import Trial, alone_figures, live_figures
from tools.bench.encoding import Reel
from tools.bench.scenes import Scene
from tools.bench.truth import Raised, Recall, Replay
from vigie.vocabulary import Kind

REELS = [
    Reel(Scene(label_file(name), is_busy, 0, 4, 0), 60.0, label_file(name).path, label_file(name).path)
    for name, is_busy in (("street", True), ("square", False), ("lane", False))
]


def trial(gating: str, cores: float, *, cameras: int = 10, late: int = 0) -> Trial:
    return Trial(
        cameras=cameras,
        gating=gating,
        seconds=60,
        cores=cores,
        serving_cores=0.1,
        shares={},
        age_p95_s=0.2,
        analysed_rate_hz=5,
        dropped={"late": late} if late else {},
        recall=Recall(),
        problems=(),
    )


def test_a_live_camera_costs_what_it_does_in_the_largest_cluster() -> None:
    trials = [trial("off", 0.7, cameras=5), trial("on", 0.6, cameras=5), trial("off", 1.2), trial("on", 0.4)]
    found = live_figures(trials)
    assert found["cameras"] == 10
    assert found["cpu_s_a_camera_s"] == {"off": 0.12, "on": 0.04}
    assert found["cpu_ratio"] == 3


def test_what_was_spared_work_by_losing_frames_costs_nothing_known() -> None:
    found = live_figures([trial("off", 0.6, late=1500), trial("on", 0.4)])
    assert found["cpu_s_a_camera_s"] == {"off": None, "on": 0.04}
    assert found["cpu_ratio"] is None


def test_one_camera_in_five_of_the_mix_is_busy() -> None:
    raised = Raised(10.0, Kind.FIRE, "")
    off = {reel.scene.file.name: Replay((raised,), 0.1, 5, 5) for reel in REELS}
    on = {
        "street": Replay((raised,), 0.1, 5, 5),
        "square": Replay((Raised(12.0, Kind.FIRE, ""),), 0.01, 1, 0.25),
        "lane": Replay((), 0.03, 1, 0.25),
    }
    found = alone_figures(REELS, {"off": off, "on": on})
    assert found["cpu_s_a_camera_s"] == {"off": 0.1, "on": pytest.approx(0.036)}
    assert found["cpu_ratio"] == pytest.approx(2.78)
    assert found["signals"] == {"expected": 3, "missed": 1, "extra": 0}
