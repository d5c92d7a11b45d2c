import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.analysis.crowd_density import MOVING, CrowdDensity
from cluster.analysis.geometry import Crossing, Line, Polygon
from cluster.analysis.zone_intrusion import ZoneIntrusion
from cluster.config import CameraConfig, ClusterConfig, Secrets, camera_config
from cluster.errors import ConfigurationError
from cluster.inference.hardware import CPU, CUDA, TENSORRT, Hardware
from cluster.permissions import permitted_kinds
from cluster.video.stream import Pace
from tests.cluster.assignments import CAMERA, assignment, polygon
from vigie.identity import Proof, identity_home
from vigie.v1 import assignments_pb2, venues_pb2
from vigie.vocabulary import Kind, ObjectClass

Assignment = assignments_pb2.Assignment


def test_camera_is_read_from_its_assignment() -> None:
    config = camera_config(assignment())

    assert config.name == CAMERA
    assert config.stream.url == "file:lawn.mp4"
    assert config.stream.start_time_s is None
    assert config.stream.pace is Pace.REAL_TIME
    assert (config.view.width, config.view.height, config.view.time_zone.key) == (768, 576, "Europe/Paris")
    assert list(config.view.zones) == ["road", "gate"]
    assert config.view.zones["gate"] == Line((0, 300), (300, 300), frozenset({Crossing.LEFT_TO_RIGHT}))
    assert config.analysis_rate_hz == 5
    assert permitted_kinds(config.permissions, 1000) == {Kind.ZONE_INTRUSION, Kind.CROWD_DENSITY}
    assert not permitted_kinds(config.permissions, 2000)


def test_unset_parameters_have_the_defaults_of_the_contract() -> None:
    intrusion, _, density = camera_config(assignment()).rules

    assert isinstance(intrusion, ZoneIntrusion)
    assert (intrusion.dwell_s, intrusion.clear_s) == (1, 2)
    assert intrusion.who == {ObjectClass.PERSON}
    assert isinstance(density, CrowdDensity)
    assert (density.sustain_s, density.clear_s, density.moving) == (5, 2.5, MOVING)


def test_recording_keeps_its_times_and_pace() -> None:
    message = assignment()
    message.camera.stream.start_time.FromJsonString("2026-11-24T10:00:00.5Z")
    message.camera.stream.pace = venues_pb2.PACE_FASTEST

    stream = camera_config(message).stream

    assert (stream.start_time_s, stream.pace) == (1795514400.5, Pace.FASTEST)


def test_act_that_covers_other_cameras_allows_nothing() -> None:
    message = assignment()
    message.authorizations[0].cameras[:] = ["venues/park/cameras/other"]

    assert camera_config(message).permissions == ()


def test_kind_from_the_future_is_allowed_by_no_act() -> None:
    message = assignment()
    message.authorizations[0].kinds[:] = [99, Kind.FIRE]  # type: ignore[list-item]

    assert camera_config(message).permissions[0].kinds == {Kind.FIRE}


def rename(message: Assignment) -> None:
    message.camera.name = "lawn"


def drop_url(message: Assignment) -> None:
    message.camera.stream.url = ""


def drop_size(message: Assignment) -> None:
    message.camera.picture_size.width = 0


def lose_time_zone(message: Assignment) -> None:
    message.time_zone = "../Paris"


def double_zone(message: Assignment) -> None:
    message.camera.zones[1].id = "road"


def empty_zone(message: Assignment) -> None:
    message.camera.zones[1].ClearField("line")


def turn_line(message: Assignment) -> None:
    message.camera.zones[1].line.direction = 9  # type: ignore[assignment]


def cross_polygon(message: Assignment) -> None:
    message.camera.zones[0].CopyFrom(polygon("road", (0, 0), (9, 9), (9, 0), (0, 9)))


def leave_picture(message: Assignment) -> None:
    message.camera.zones[0].polygon.points[2].x = 769


def bend_plane(message: Assignment) -> None:
    del message.camera.ground_plane.picture_points[3]


def unknown_rule(message: Assignment) -> None:
    message.camera.rules.add()


def double_rule(message: Assignment) -> None:
    message.camera.rules.add().CopyFrom(message.camera.rules[2])


def reach_the_sky(message: Assignment) -> None:
    plane = message.camera.ground_plane
    for point, x, y in zip(plane.picture_points, (250, 450, 700, 50), (300, 300, 570, 570), strict=True):
        point.x, point.y = x, y
    for place, x_m, y_m in zip(plane.ground_points, (0, 4, 4, 0), (10, 10, 0, 0), strict=True):
        place.x_m, place.y_m = x_m, y_m
    message.camera.zones[0].CopyFrom(polygon("road", (0, 0), (768, 0), (768, 576), (0, 576)))


def wrong_rate(message: Assignment) -> None:
    message.camera.analysis_rate_hz = 61


def many_zones(message: Assignment) -> None:
    message.camera.zones.extend([polygon(f"zone-{number}", (0, 0), (9, 0), (9, 9)) for number in range(64)])


def many_rules(message: Assignment) -> None:
    message.camera.rules.extend([message.camera.rules[0]] * 64)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (rename, "camera.name: 'lawn' is not a name of the form venues/{venue}/cameras/{camera}"),
        (drop_url, f"{CAMERA}: stream.url: is missing"),
        (drop_size, f"{CAMERA}: picture_size.width: is 0; give 16 to 8192"),
        (lose_time_zone, f"{CAMERA}: time_zone: '../Paris' is no IANA time zone; give one such as Europe/Paris"),
        (double_zone, f"{CAMERA}: zones[1].id: 'road' is no id of its own"),
        (empty_zone, f"{CAMERA}: zones[1] 'gate': has no shape; give it a polygon or a line"),
        (turn_line, f"{CAMERA}: zones[1] 'gate': line.direction is unknown"),
        (cross_polygon, f"{CAMERA}: zones[0] 'road': is no simple polygon (Self-intersection[4.5 4.5])"),
        (leave_picture, f"{CAMERA}: zones[0] 'road': point 3 (769, 415) is outside the picture of 768x576"),
        (bend_plane, f"{CAMERA}: ground_plane, picture points: has 3 points; a ground plane has 4"),
        (
            unknown_rule,
            f"{CAMERA}: rules[3]: is of no kind that this cluster can watch for; it can: ",
        ),
        (double_rule, f"{CAMERA}: rules[3]: is a second crowd_density in zone 'road'"),
        (reach_the_sky, f"{CAMERA}: rules[2].crowd_density.zone 'road': point 1 (0, 0) is beyond the horizon"),
        (wrong_rate, f"{CAMERA}: analysis_rate_hz: is 61; give 0.5 to 60"),
        (many_zones, f"{CAMERA}: zones: there are 66; give at most 64"),
        (many_rules, f"{CAMERA}: rules: there are 67; give at most 64"),
    ],
)
def test_bad_assignment_is_refused_with_its_camera_and_field(spoil: Callable[[Assignment], None], problem: str) -> None:
    message = assignment()
    spoil(message)

    with pytest.raises(ConfigurationError) as error:
        camera_config(message)

    assert problem in str(error.value)


def test_camera_config_is_a_value_that_travels() -> None:
    travelled = pickle.loads(pickle.dumps(camera_config(assignment())))

    assert isinstance(travelled, CameraConfig)
    road = travelled.view.zones["road"]
    assert isinstance(road, Polygon)
    assert road.contains([[400, 300]]).all()


def test_empty_environment_gives_the_defaults() -> None:
    config = ClusterConfig.from_environment({})

    assert (config.coordination, config.cluster) == ("127.0.0.1:7430", "local")
    assert (config.pack, config.weapon_pack) == (None, None)
    assert (config.analysis_rate_hz, config.cameras_per_group, config.outbox_limit_bytes) == (5, 8, 1 << 30)
    assert config.proof == Proof(identity_home({}) / "cluster")
    assert config.state_dir.name == "vigie"
    assert config.hardware == Hardware((TENSORRT, CUDA, CPU), config.state_dir / "engines", gpu_share=1.0)


def test_environment_is_read(tmp_path: Path) -> None:
    config = ClusterConfig.from_environment(
        {
            "VIGIE_COORDINATION": "hq.example:443",
            "VIGIE_CLUSTER": "site-1",
            "VIGIE_IDENTITY": "/identities/site-1",
            "VIGIE_STATE_DIR": "/var/lib/vigie",
            "VIGIE_PACK": "/packs/better",
            "VIGIE_WEAPON_PACK": "/packs/weapons",
            "VIGIE_SECRETS_DIR": str(tmp_path),
            "VIGIE_SECRET_GATE": "s3cret",
            "VIGIE_ANALYSIS_RATE_HZ": "2.5",
            "VIGIE_CAMERAS_PER_GROUP": "16",
            "VIGIE_FRAME_AGE_BUDGET_S": "0.5",
            "VIGIE_GATING": "off",
            "VIGIE_PROVIDERS": "cuda, cpu",
            "VIGIE_GPU_SHARE": "0.25",
            "VIGIE_OUTBOX_LIMIT_MIB": "64",
        }
    )

    assert (config.coordination, config.cluster) == ("hq.example:443", "site-1")
    assert config.proof == Proof(Path("/identities/site-1"))
    assert config.state_dir == Path("/var/lib/vigie")
    assert (config.pack, config.weapon_pack) == (Path("/packs/better"), Path("/packs/weapons"))
    assert config.secrets.get("GATE") == "s3cret"
    assert (config.analysis_rate_hz, config.cameras_per_group, config.outbox_limit_bytes) == (2.5, 16, 64 << 20)
    assert config.frame_age_budget_s == 0.5
    assert config.hardware == Hardware((CUDA, CPU), Path("/var/lib/vigie/engines"), gpu_share=0.25)
    assert "s3cret" not in repr(config)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("VIGIE_COORDINATION", "localhost", "'localhost' is no address; write HOST:PORT"),
        ("VIGIE_COORDINATION", "localhost:70000", "is no address"),
        ("VIGIE_CLUSTER", "Site 1", "'Site 1' is no id"),
        ("VIGIE_SECRETS_DIR", "/nowhere/at/all", "/nowhere/at/all is no folder"),
        ("VIGIE_ANALYSIS_RATE_HZ", "fast", "'fast' is no number"),
        ("VIGIE_ANALYSIS_RATE_HZ", "nan", "is nan; give 0.5 to 60"),
        ("VIGIE_CAMERAS_PER_GROUP", "8.5", "'8.5' is no whole number"),
        ("VIGIE_CAMERAS_PER_GROUP", "0", "is 0; give 1 to 64"),
        ("VIGIE_FRAME_AGE_BUDGET_S", "0", "is 0; give 0.1 to 10"),
        ("VIGIE_GATING", "no", "'no' is neither on nor off"),
        ("VIGIE_PROVIDERS", "gpu,cpu", "'gpu' is none of tensorrt, cuda, cpu; write some of them"),
        ("VIGIE_GPU_SHARE", "0", "is 0; give 0.05 to 1"),
        ("VIGIE_OUTBOX_LIMIT_MIB", "1", "is 1; give 16 to"),
    ],
)
def test_bad_variable_is_refused_by_name(name: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as error:
        ClusterConfig.from_environment({name: value})

    assert error.value.where == name


def test_secret_comes_from_the_environment_before_the_folder(tmp_path: Path) -> None:
    (tmp_path / "GATE").write_text("from a file\n")
    (tmp_path / "DOOR").write_text("from a file\n")
    secrets = Secrets({"GATE": "from the environment"}, tmp_path)

    assert secrets.get("GATE") == "from the environment"
    assert secrets.get("DOOR") == "from a file"
    assert secrets.get("ROOF") is None


@pytest.mark.parametrize("name", ["../GATE", "/etc/passwd", ".", "", "A" * 65])
def test_secret_name_cannot_leave_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "GATE").write_text("secret")
    (tmp_path / "inner").mkdir()

    assert Secrets({}, tmp_path / "inner").get(name) is None


@pytest.mark.parametrize(("content", "problem"), [(b"a" * 4097, "is longer than 4096 bytes"), (b"\xff", "is not UTF-8 text")])
def test_secret_that_is_no_line_of_text_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "GATE").write_bytes(content)

    with pytest.raises(ConfigurationError, match=problem):
        Secrets({}, tmp_path).get("GATE")
