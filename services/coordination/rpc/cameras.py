"""CameraService: says how cameras are doing."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import UUID

from services.coordination.accounting import account
from services.coordination.assignments import AssignmentBoard
from services.coordination.domain import checks
from services.coordination.domain.admission import CLOCK_SKEW
from services.coordination.domain.health_events import HealthEvent, down_since
from services.coordination.errors import InvalidRequestError, Violation
from services.coordination.health_log import HealthLog
from services.coordination.recording import Recorder
from services.coordination.rpc.convert import moment, timestamp
from services.coordination.rpc.requests import Context, check_known, invalid, page_size, venues_of
from services.coordination.rpc.tokens import page_position, page_token
from services.coordination.store.database import Database
from services.coordination.store.repositories.cameras import CameraId, CameraReport
from services.coordination.store.repositories.health_events import HealthEventQuery
from services.coordination.store.unit_of_work import UnitOfWork
from vigie.names import InvalidNameError, camera_name, health_event_name, parse_camera
from vigie.v1 import assignments_pb2, camera_service_pb2, cameras_pb2
from vigie.v1.camera_service_pb2_grpc import CameraServiceServicer

MAX_REPORTS = 256
MAX_DETAIL = 1000
MAX_OWNER = 200
MAX_CAUSES = 32
MAX_CONCERNS = 32
MAX_HOST = 255
REPORTED_LATELY = timedelta(seconds=15)

_Reports = dict[CameraId, cameras_pb2.CameraHealth]


class CameraServicer(CameraServiceServicer):
    """Keeps what the newest owner of each camera says, renews its lease, and tells older owners to give the camera up."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        board: AssignmentBoard,
        *,
        health_log: HealthLog,
        now: Callable[[], datetime],
        lease_s: float,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._board = board
        self._health_log = health_log
        self._now = now
        self._lease_s = lease_s

    async def ReportCameraHealth(  # noqa: N802 - named by the contract
        self,
        request: camera_service_pb2.ReportCameraHealthRequest,
        context: Context,
    ) -> camera_service_pb2.ReportCameraHealthResponse:
        """Takes what an owner says. Cameras that are in no venue any more count as superseded too."""
        if found := list(_violations(request, self._now())):
            raise InvalidRequestError(found)
        reports = {parse_camera(health.camera): health for health in request.cameras}
        async with self._database.read() as work:
            applied = await work.cameras.applied(reports)
            heard = await work.cameras.incarnations(reports)
        current = {camera: reports[camera] for camera in applied if reports[camera].incarnation >= max(heard.get(camera, {0}))}
        newcomers = {
            (*camera, health.incarnation) for camera, health in current.items() if health.incarnation not in heard.get(camera, ())
        }
        if newcomers:
            await self._recorder.succeed(newcomers)
        async with self._database.write() as work:
            await account(work, self._board, current, self._now)
            await work.cameras.put_health(current, await _down_since(work, current))
            await work.commit()
        await self._health_log.note(current)
        superseded = sorted(camera_name(*camera) for camera in reports if camera not in current)
        leases = [self._lease(camera_name(*camera)) for camera in sorted(current)]
        return camera_service_pb2.ReportCameraHealthResponse(superseded_cameras=superseded, leases=leases)

    async def ListCameras(  # noqa: N802 - named by the contract
        self,
        request: camera_service_pb2.ListCamerasRequest,
        context: Context,
    ) -> camera_service_pb2.ListCamerasResponse:
        """Lists cameras by name. One whose owner has not spoken lately has no state.

        That leaves no trace: how equipment does says nothing about what it saw.
        """
        size = page_size(request.page_size)
        venues, position = venues_of(request.parent), page_position(request)
        states, silent_before = _states(request), self._now() - REPORTED_LATELY
        async with self._database.read() as work:
            await check_known(work, request.parent)
            after = (position[0], position[1]) if position else ("", "")
            reports = await work.cameras.page(venues, states, silent_before=silent_before, after=after, size=size)
        more = page_token(request, parse_camera(reports[-1].camera.name)) if len(reports) == size else ""
        statuses = [_status(report, silent_before) for report in reports]
        return camera_service_pb2.ListCamerasResponse(cameras=statuses, next_page_token=more)

    async def ListHealthEvents(  # noqa: N802 - named by the contract
        self,
        request: camera_service_pb2.ListHealthEventsRequest,
        context: Context,
    ) -> camera_service_pb2.ListHealthEventsResponse:
        """Lists health events, newest first. Like the list of cameras it says nothing of what was seen, and leaves no trace."""
        size, query = page_size(request.page_size), _health_query(request)
        async with self._database.read() as work:
            await check_known(work, request.parent)
            events = await work.health_events.page(query, size)
        ended = [events[-1].begin_time.isoformat(), str(events[-1].event_id)] if len(events) == size else None
        return camera_service_pb2.ListHealthEventsResponse(
            health_events=map(_health_event, events), next_page_token=page_token(request, ended) if ended else ""
        )

    def _lease(self, camera: str) -> assignments_pb2.Lease:
        lease = assignments_pb2.Lease(camera=camera, authorizations=self._board.acts(camera, self._now()))
        lease.duration.FromMilliseconds(round(self._lease_s * 1000))
        return lease


async def _down_since(work: UnitOfWork, reports: _Reports) -> dict[CameraId, datetime]:
    """Since when each camera that is down gives no frames, before what is said now is kept."""
    before = await work.cameras.down_since(reports)
    found = {camera: down_since(health, before.get(camera)) for camera, health in reports.items()}
    return {camera: since for camera, since in found.items() if since}


def _health_query(request: camera_service_pb2.ListHealthEventsRequest) -> HealthEventQuery:
    if problem := checks.moment(request.start_time):
        raise invalid("start_time", problem)
    position = page_position(request)
    return HealthEventQuery(
        venues=venues_of(request.parent),
        is_lasting=request.open_only,
        start_time=moment(request.start_time) if request.HasField("start_time") else None,
        before=(datetime.fromisoformat(position[0]), UUID(position[1])) if position else None,
    )


def _health_event(event: HealthEvent) -> cameras_pb2.HealthEvent:
    return cameras_pb2.HealthEvent(
        name=health_event_name(event.venue, str(event.event_id)),
        kind=cameras_pb2.HealthEventKind.ValueType(event.kind),
        camera=camera_name(event.venue, event.camera) if event.camera else "",
        host=event.host,
        fault=cameras_pb2.StreamFaultKind.ValueType(event.fault),
        detail=event.detail,
        camera_count=event.camera_count,
        begin_time=timestamp(event.begin_time),
        end_time=timestamp(event.end_time) if event.end_time else None,
    )


def _states(request: camera_service_pb2.ListCamerasRequest) -> frozenset[int]:
    for index, state in enumerate(request.states):
        if state not in cameras_pb2.CameraState.values():
            raise invalid(f"states[{index}]", f"{state} is no state that a camera can be in")
    return frozenset(request.states)


def _status(report: CameraReport, silent_before: datetime) -> cameras_pb2.CameraStatus:
    if report.health is not None and (report.receive_time is None or report.receive_time < silent_before):
        report.health.state = cameras_pb2.CAMERA_STATE_UNSPECIFIED
    return cameras_pb2.CameraStatus(camera=report.camera, health=report.health)


def _violations(request: camera_service_pb2.ReportCameraHealthRequest, now: datetime) -> Iterator[Violation]:
    if len(request.cameras) > MAX_REPORTS:
        yield Violation(
            "cameras", f"has {len(request.cameras)} entries; at most {MAX_REPORTS} are allowed: send several requests"
        )
        return
    for index, health in enumerate(request.cameras):
        for field, problem in _problems(health, now):
            if problem:
                yield Violation(f"cameras[{index}].{field}", problem)


def _problems(health: cameras_pb2.CameraHealth, now: datetime) -> Iterator[tuple[str, str | None]]:
    try:
        parse_camera(health.camera)
    except InvalidNameError as error:
        yield "camera", str(error)
    latest_ms = (now + CLOCK_SKEW).timestamp() * 1000
    yield "incarnation", checks.number(health.incarnation, least=1, most=latest_ms)
    known = health.state in cameras_pb2.CameraState.values() and health.state != cameras_pb2.CAMERA_STATE_UNSPECIFIED
    yield "state", None if known else f"{health.state} is no state that a camera can be in"
    yield "detail", checks.text(health.detail, most=MAX_DETAIL)
    yield "owner", checks.text(health.owner, most=MAX_OWNER)
    if len(health.dropped_frames) > MAX_CAUSES:
        yield "dropped_frames", f"names {len(health.dropped_frames)} causes; at most {MAX_CAUSES} are allowed"
    if len(health.concerns) > MAX_CONCERNS:
        yield "concerns", f"has {len(health.concerns)} entries; at most {MAX_CONCERNS} are allowed"
    for index, concern in enumerate(health.concerns[:MAX_CONCERNS]):
        yield f"concerns[{index}].problem", checks.text(concern.problem, least=1, most=MAX_DETAIL)
    yield "host", checks.text(health.host, most=MAX_HOST)
    yield from _fault_problems(health)
    for field in ("state_time", "last_frame_time", "report_time"):
        yield field, checks.moment(getattr(health, field))


def _fault_problems(health: cameras_pb2.CameraHealth) -> Iterator[tuple[str, str | None]]:
    """A camera has a fault of each kind once at most."""
    kinds = cameras_pb2.StreamFaultKind.values()[1:]
    if len(health.faults) > len(kinds):
        yield "faults", f"has {len(health.faults)} entries; at most {len(kinds)} are allowed"
        return
    for index, fault in enumerate(health.faults):
        is_first = fault.kind not in [before.kind for before in health.faults[:index]]
        problem = f"{fault.kind} is no fault that pictures can have, or stands there twice"
        yield f"faults[{index}].kind", None if fault.kind in kinds and is_first else problem
        yield f"faults[{index}].detail", checks.text(fault.detail, most=MAX_DETAIL)
        yield f"faults[{index}].since_time", checks.moment(fault.since_time)
