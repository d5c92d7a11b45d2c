"""What a cluster is told: by its environment, once, and by the coordination service, camera by camera.

Environment:

    variable                   default                    what
    VIGIE_COORDINATION         127.0.0.1:7430             where the coordination service listens, HOST:PORT
    VIGIE_CLUSTER              local                      id under which this cluster asks for its cameras
    VIGIE_IDENTITY             that of a cluster which    folder of the certificate with which its machines prove who they are;
                               `vigie init` made          none for a service on this machine that knows nobody
    VIGIE_STATE_DIR            the user's state folder    where signals wait until they are recorded
    VIGIE_PACK                 the small pack shipped     folder of the model pack
    VIGIE_WEAPON_PACK          none: no camera can        folder of a model pack whose task is weapon_detection
                               watch for weapons
    VIGIE_SECRETS_DIR          none                       folder with a file for each secret that stream URLs name as ${NAME}
    VIGIE_SECRET_NAME          none                       the secret NAME; goes before a file of the folder
    VIGIE_ANALYSIS_RATE_HZ     5                          frames analysed a second where a camera says nothing else and no kind
                                                          that it watches for needs more, 0.5 to 60
    VIGIE_CAMERAS_PER_GROUP    8                          cameras that one process decodes and analyses, 1 to 64
    VIGIE_FRAME_AGE_BUDGET_S   1                          seconds after which a live frame is dropped rather than analysed,
                                                          0.1 to 10
    VIGIE_GATING               on                         off: a network looks at every frame, also where nothing changes
    VIGIE_PROVIDERS            tensorrt,cuda,cpu          on what networks run, the most wanted first; what is not there is passed
                                                          over, and the status of each shard says what really runs it
    VIGIE_GPU_SHARE            1                          how much of a GPU one shard takes, 0.05 to 1: at 0.5 two share it
    VIGIE_OUTBOX_LIMIT_MIB     1024                       what may wait on disk for one process, 16 to 1048576
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from platformdirs import user_state_path

from cluster.analysis.abandoned_object import AbandonedObject
from cluster.analysis.crowd_density import CrowdDensity
from cluster.analysis.crowd_movement import CrowdMovement
from cluster.analysis.fire import Fire
from cluster.analysis.geometry import Crossing, GroundPlane, Line, Polygon, Zone
from cluster.analysis.parameters import bounded
from cluster.analysis.person_down import PersonDown
from cluster.analysis.scene import RuleParameters
from cluster.analysis.suitability import Concern, configured
from cluster.analysis.view import View
from cluster.analysis.weapon import Weapon
from cluster.analysis.wrong_way import WrongWay
from cluster.analysis.zone_intrusion import ZoneIntrusion
from cluster.errors import ConfigurationError
from cluster.inference.hardware import PROVIDERS, Hardware
from cluster.permissions import Permission
from cluster.video.frame import Fit
from cluster.video.stream import Pace, StreamConfig
from vigie.identity import CLUSTER, IdentityError, Proof, chosen_proof
from vigie.names import InvalidNameError, is_id, parse_camera
from vigie.v1 import assignments_pb2, authorizations_pb2, venues_pb2
from vigie.vocabulary import Kind

DEFAULT_RATE_HZ = 5.0
# The input of the detector that Vigie ships.
DEFAULT_FIT = Fit(416, 416)
RATE_LIMITS_HZ = (0.5, 60.0)
FRAME_AGE_BUDGET_S = 1.0
PICTURE_SIDE_PX = (16, 8192)
ZONES_LIMIT = 64
RULES_LIMIT = 64
SECRET_LIMIT_BYTES = 4096

# A kind is one module and one line here: the field of `vigie.v1.Rule` that holds its parameters, and what they are here.
KINDS: Mapping[str, type[RuleParameters]] = {
    "abandoned_object": AbandonedObject,
    "wrong_way": WrongWay,
    "weapon": Weapon,
    "zone_intrusion": ZoneIntrusion,
    "crowd_density": CrowdDensity,
    "crowd_movement": CrowdMovement,
    "person_down": PersonDown,
    "fire": Fire,
}

_CROSSINGS = {
    venues_pb2.CROSSING_DIRECTION_UNSPECIFIED: frozenset(Crossing),
    venues_pb2.CROSSING_DIRECTION_ANY: frozenset(Crossing),
    venues_pb2.CROSSING_DIRECTION_LEFT_TO_RIGHT: frozenset({Crossing.LEFT_TO_RIGHT}),
    venues_pb2.CROSSING_DIRECTION_RIGHT_TO_LEFT: frozenset({Crossing.RIGHT_TO_LEFT}),
}
_SWITCH = {"on": True, "off": False}
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True, eq=False)
class CameraConfig:
    """One camera as its owner needs to know it.

    Attributes:
        name: `venues/{venue}/cameras/{camera}`.
        stream: where its pictures come from.
        view: what it looks at.
        rules: what it watches for.
        analysis_rate_hz: frames analysed a second.
        permissions: the acts that allow it.
        concerns: why what it watches for cannot be fully trusted at this camera.
    """

    name: str
    stream: StreamConfig
    view: View
    rules: tuple[RuleParameters, ...]
    analysis_rate_hz: float
    permissions: tuple[Permission, ...]
    concerns: tuple[Concern, ...] = ()


def camera_config(
    assignment: assignments_pb2.Assignment, *, default_rate_hz: float = DEFAULT_RATE_HZ, fit: Fit = DEFAULT_FIT
) -> CameraConfig:
    """A camera's configuration from the contract's message.

    Raises ConfigurationError, with the camera's name and the field, for what this cluster cannot do: the service that sent it may
    be older or newer, so nothing is taken on trust.

    Args:
        assignment: the camera, the acts that allow it, and the time zone of its venue.
        default_rate_hz: frames analysed a second where the camera says nothing else and no kind that it watches for needs more.
        fit: into which its pictures are scaled for the detector.
    """
    camera = assignment.camera
    try:
        parse_camera(camera.name)
    except InvalidNameError as error:
        raise ConfigurationError("camera.name", str(error)) from error
    view = _view(camera, assignment.time_zone)
    rules = _rules(camera, view)
    usual_hz = max([default_rate_hz, *(rule.NEEDS.rate_hz for rule in rules)])
    rate_hz = bounded(camera.analysis_rate_hz or usual_hz, *RATE_LIMITS_HZ, f"{camera.name}: analysis_rate_hz")
    return CameraConfig(
        name=camera.name,
        stream=_stream(camera),
        view=view,
        rules=rules,
        analysis_rate_hz=rate_hz,
        permissions=permissions_of(assignment.authorizations, camera.name),
        concerns=configured(rules, view, rate_hz=rate_hz, fit=fit, where=f"{camera.name}: rules"),
    )


def _stream(camera: venues_pb2.Camera) -> StreamConfig:
    stream = camera.stream
    if not stream.url:
        raise ConfigurationError(f"{camera.name}: stream.url", "is missing; say where the pictures come from")
    return StreamConfig(
        url=stream.url,
        start_time_s=stream.start_time.ToNanoseconds() / 1e9 if stream.HasField("start_time") else None,
        pace=Pace.FASTEST if stream.pace == venues_pb2.PACE_FASTEST else Pace.REAL_TIME,
    )


def _view(camera: venues_pb2.Camera, time_zone: str) -> View:
    width, height = camera.picture_size.width, camera.picture_size.height
    for name, side in (("width", width), ("height", height)):
        bounded(side, *PICTURE_SIDE_PX, f"{camera.name}: picture_size.{name}")
    return View(
        width=width,
        height=height,
        time_zone=_time_zone(time_zone, f"{camera.name}: time_zone"),
        zones=_zones(camera),
        plane=_plane(camera.ground_plane, f"{camera.name}: ground_plane") if camera.HasField("ground_plane") else None,
    )


def _time_zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigurationError(where, f"{name[:64]!r} is no IANA time zone; give one such as Europe/Paris") from error


def _zones(camera: venues_pb2.Camera) -> dict[str, Zone]:
    if len(camera.zones) > ZONES_LIMIT:
        raise ConfigurationError(f"{camera.name}: zones", f"there are {len(camera.zones)}; give at most {ZONES_LIMIT}")
    zones: dict[str, Zone] = {}
    for place, zone in enumerate(camera.zones):
        where = f"{camera.name}: zones[{place}]"
        if not is_id(zone.id) or zone.id in zones:
            raise ConfigurationError(f"{where}.id", f"{zone.id[:64]!r} is no id of its own; ids are 1 to 63 of a-z, 0-9 and '-'")
        zones[zone.id] = _zone(zone, camera, f"{where} {zone.id!r}")
    return zones


def _zone(zone: venues_pb2.Zone, camera: venues_pb2.Camera, where: str) -> Zone:
    match zone.WhichOneof("shape"):
        case "polygon":
            return Polygon.of(_points(zone.polygon.points, camera, where), where)
        case "line":
            if zone.line.direction not in _CROSSINGS:
                raise ConfigurationError(where, "line.direction is unknown; give ANY, LEFT_TO_RIGHT or RIGHT_TO_LEFT")
            return Line.of(_points((zone.line.start, zone.line.end), camera, where), _CROSSINGS[zone.line.direction], where)
    raise ConfigurationError(where, "has no shape; give it a polygon or a line")


def _points(points: Iterable[venues_pb2.Point], camera: venues_pb2.Camera, where: str) -> list[tuple[float, float]]:
    width, height = camera.picture_size.width, camera.picture_size.height
    found = [(point.x, point.y) for point in points]
    for number, (x, y) in enumerate(found, 1):
        if not (0 <= x <= width and 0 <= y <= height):
            raise ConfigurationError(
                where, f"point {number} ({x:g}, {y:g}) is outside the picture of {width}x{height}; move it inside"
            )
    return found


def _plane(plane: venues_pb2.GroundPlane, where: str) -> GroundPlane:
    picture = [(point.x, point.y) for point in plane.picture_points]
    return GroundPlane.of(picture, [(point.x_m, point.y_m) for point in plane.ground_points], where)


def _rules(camera: venues_pb2.Camera, view: View) -> tuple[RuleParameters, ...]:
    if len(camera.rules) > RULES_LIMIT:
        raise ConfigurationError(f"{camera.name}: rules", f"there are {len(camera.rules)}; give at most {RULES_LIMIT}")
    rules: dict[tuple[Kind, str], RuleParameters] = {}
    for place, rule in enumerate(camera.rules):
        where = f"{camera.name}: rules[{place}]"
        kind = rule.WhichOneof("parameters")
        if kind is None or kind not in KINDS:
            raise ConfigurationError(where, f"is of no kind that this cluster can watch for; it can: {', '.join(KINDS)}")
        parameters = KINDS[kind].of(getattr(rule, kind), view, f"{where}.{kind}")
        if (parameters.kind, parameters.zone) in rules:
            raise ConfigurationError(where, f"is a second {kind} in zone {parameters.zone!r}; keep one")
        rules[parameters.kind, parameters.zone] = parameters
    return tuple(rules.values())


def permissions_of(acts: Iterable[authorizations_pb2.Authorization], camera: str) -> tuple[Permission, ...]:
    """What acts allow at a camera, by its name."""
    return tuple(_permission(act) for act in acts if camera in act.cameras)


def _permission(act: authorizations_pb2.Authorization) -> Permission:
    return Permission(
        reference=act.reference,
        start_s=act.start_time.ToNanoseconds() / 1e9,
        end_s=act.end_time.ToNanoseconds() / 1e9,
        # A kind that this cluster does not know allows it nothing.
        kinds=frozenset(map(Kind, set(act.kinds) & set(map(int, Kind)))),
    )


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets that stream URLs name.

    Attributes:
        values: those of the environment, by their names.
        folder: has a file for each other one, read when it is asked for, so that it can be changed while the cluster runs.
    """

    values: Mapping[str, str] = field(repr=False)
    folder: Path | None = None

    def get(self, name: str) -> str | None:
        """The secret of this name; None where there is none. Raises ConfigurationError where its file cannot be read."""
        if name in self.values or self.folder is None or not _SECRET_NAME.fullmatch(name):
            return self.values.get(name)
        path = self.folder / name
        try:
            with path.open("rb") as file:
                content = file.read(SECRET_LIMIT_BYTES + 1)
            if len(content) > SECRET_LIMIT_BYTES:
                raise ConfigurationError(str(path), f"is longer than {SECRET_LIMIT_BYTES} bytes; a secret is one line of text")
            return content.decode().strip() or None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(
                str(path), f"cannot be read: {error.strerror}; give it to the user that runs Vigie"
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(str(path), "is not UTF-8 text; a secret is one line of text") from error


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """What one cluster's processes need to know; the module's docstring has the variables.

    Attributes:
        coordination: where the coordination service listens, HOST:PORT.
        cluster: id under which this cluster asks for its cameras.
        proof: with what it proves to the service who it is.
        state_dir: where signals wait until they are recorded.
        pack: folder of the model pack; None means the small one that Vigie ships.
        weapon_pack: folder of the model pack for weapons; None means that no camera can watch for them.
        secrets: those that stream URLs name.
        analysis_rate_hz: frames analysed a second where a camera says nothing else and no kind that it watches for needs more.
        cameras_per_group: cameras that one process decodes and analyses.
        frame_age_budget_s: seconds after which a live frame is dropped rather than analysed.
        gating: whether a network looks only where something has changed.
        hardware: on what networks run, and how much of a GPU is for one shard.
        outbox_limit_bytes: what may wait on disk for one process.
    """

    coordination: str
    cluster: str
    proof: Proof
    state_dir: Path
    pack: Path | None
    weapon_pack: Path | None
    secrets: Secrets
    analysis_rate_hz: float
    cameras_per_group: int
    frame_age_budget_s: float
    gating: bool
    hardware: Hardware
    outbox_limit_bytes: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Reads the variables. Raises ConfigurationError with the variable's name."""
        state_dir, pack, weapon_pack, secrets_dir = (
            Path(text) if (text := environment.get(f"VIGIE_{name}")) else None
            for name in ("STATE_DIR", "PACK", "WEAPON_PACK", "SECRETS_DIR")
        )
        state_dir = state_dir or user_state_path("vigie")
        return cls(
            coordination=_address(environment.get("VIGIE_COORDINATION") or "127.0.0.1:7430"),
            cluster=_cluster_id(environment.get("VIGIE_CLUSTER") or "local"),
            proof=_proof(environment),
            state_dir=state_dir,
            pack=pack,
            weapon_pack=weapon_pack,
            secrets=_secrets(environment, secrets_dir),
            analysis_rate_hz=_number(environment, "VIGIE_ANALYSIS_RATE_HZ", DEFAULT_RATE_HZ, RATE_LIMITS_HZ),
            cameras_per_group=int(_number(environment, "VIGIE_CAMERAS_PER_GROUP", 8, (1, 64), whole=True)),
            frame_age_budget_s=_number(environment, "VIGIE_FRAME_AGE_BUDGET_S", FRAME_AGE_BUDGET_S, (0.1, 10.0)),
            gating=_switch(environment, "VIGIE_GATING", default=True),
            hardware=Hardware(
                _providers(environment.get("VIGIE_PROVIDERS") or ",".join(PROVIDERS)),
                engines=state_dir / "engines",
                gpu_share=_number(environment, "VIGIE_GPU_SHARE", 1.0, (0.05, 1.0)),
            ),
            outbox_limit_bytes=int(_number(environment, "VIGIE_OUTBOX_LIMIT_MIB", 1024, (16, 1 << 20), whole=True)) << 20,
        )


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise ConfigurationError("VIGIE_COORDINATION", f"{text[:100]!r} is no address; write HOST:PORT, such as 127.0.0.1:7430")
    return text


def _cluster_id(text: str) -> str:
    if not is_id(text):
        raise ConfigurationError("VIGIE_CLUSTER", f"{text[:64]!r} is no id; write 1 to 63 of a-z, 0-9 and '-'")
    return text


def _proof(environment: Mapping[str, str]) -> Proof:
    try:
        return chosen_proof(environment, CLUSTER)
    except IdentityError as error:
        raise ConfigurationError("VIGIE_IDENTITY", str(error)) from error


def _secrets(environment: Mapping[str, str], folder: Path | None) -> Secrets:
    if folder is not None and not folder.is_dir():
        raise ConfigurationError("VIGIE_SECRETS_DIR", f"{folder} is no folder; name one, or unset it")
    prefix = "VIGIE_SECRET_"
    return Secrets({name.removeprefix(prefix): value for name, value in environment.items() if name.startswith(prefix)}, folder)


def _providers(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",")]
    if strange := [name for name in names if name not in PROVIDERS]:
        problem = f"{strange[0][:64]!r} is none of {', '.join(PROVIDERS)}; write some of them, the most wanted first"
        raise ConfigurationError("VIGIE_PROVIDERS", problem)
    return tuple(PROVIDERS[name] for name in dict.fromkeys(names))


def _switch(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environment.get(name)
    if text and text not in _SWITCH:
        raise ConfigurationError(name, f"{text[:64]!r} is neither on nor off; write one of them")
    return _SWITCH[text] if text else default


def _number(
    environment: Mapping[str, str], name: str, default: float, limits: tuple[float, float], *, whole: bool = False
) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        value = float(int(text)) if whole else float(text)
    except ValueError as error:
        raise ConfigurationError(name, f"{text[:64]!r} is no {'whole ' if whole else ''}number") from error
    return bounded(value, *limits, name)
