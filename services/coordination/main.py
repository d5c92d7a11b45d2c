"""The process of the coordination service."""

import asyncio
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from grpc import aio
from uuid_utils.compat import uuid7

from services.coordination.access.guard import Guard
from services.coordination.assignments import AssignmentBoard
from services.coordination.config import ServiceConfig
from services.coordination.errors import UnavailableError
from services.coordination.evidence.opening import open_evidence
from services.coordination.evidence.store import EvidenceStore
from services.coordination.health_log import HealthLog
from services.coordination.integrations.courier import Courier
from services.coordination.integrations.planning import Planner
from services.coordination.recording import GroupCommit, Recorder
from services.coordination.retention import Retention
from services.coordination.reviewing import Reviewer
from services.coordination.rpc.assignments import AssignmentServicer
from services.coordination.rpc.audit import AuditServicer
from services.coordination.rpc.authorizations import AuthorizationServicer
from services.coordination.rpc.cameras import CameraServicer
from services.coordination.rpc.events import EventServicer
from services.coordination.rpc.health import NAME as HEALTH
from services.coordination.rpc.health import Health
from services.coordination.rpc.integrations import IntegrationServicer
from services.coordination.rpc.interceptors import AccessInterceptor, ErrorInterceptor
from services.coordination.rpc.reflection import add_reflection
from services.coordination.rpc.reports import ReportServicer
from services.coordination.rpc.retention import RetentionServicer
from services.coordination.rpc.server import listen, new_server
from services.coordination.rpc.signals import SignalServicer
from services.coordination.rpc.venues import VenueServicer
from services.coordination.rpc.watching import EventWatch, SerializedInterceptor, watch_response
from services.coordination.store.database import Database
from services.coordination.store.listening import Listener
from services.coordination.store.repositories.heads import Head
from services.coordination.watch import Feed, Sightings
from vigie.v1 import (
    assignment_service_pb2,
    assignment_service_pb2_grpc,
    audit_service_pb2,
    audit_service_pb2_grpc,
    authorization_service_pb2,
    authorization_service_pb2_grpc,
    camera_service_pb2,
    camera_service_pb2_grpc,
    event_service_pb2,
    event_service_pb2_grpc,
    integration_service_pb2,
    integration_service_pb2_grpc,
    report_service_pb2,
    report_service_pb2_grpc,
    retention_service_pb2,
    retention_service_pb2_grpc,
    signal_service_pb2,
    signal_service_pb2_grpc,
    venue_service_pb2,
    venue_service_pb2_grpc,
)

SERVICES = tuple(
    next(iter(file.DESCRIPTOR.services_by_name.values())).full_name
    for file in (
        assignment_service_pb2,
        audit_service_pb2,
        authorization_service_pb2,
        camera_service_pb2,
        event_service_pb2,
        integration_service_pb2,
        report_service_pb2,
        retention_service_pb2,
        signal_service_pb2,
        venue_service_pb2,
    )
)
DROPPED_EVERY_S = 60.0

_log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


async def serve(
    config: ServiceConfig,
    ready: Callable[[str], None] | None = None,
    *,
    stop: asyncio.Event | None = None,
    now: Callable[[], datetime] = utc_now,
    ids: Callable[[], UUID] = uuid7,
) -> None:
    """Serves until SIGTERM, SIGINT or `stop`; then takes nothing more, commits what it holds and returns.

    `ready` is called with the address, as HOST:PORT, once calls are answered. Raises ConfigurationError, and UnavailableError if
    the database or the evidence store cannot be reached at the start; later it waits for them.
    """
    stopping = stop or asyncio.Event()
    database = Database(config.database_url, now=now)
    with _signals_set(stopping):
        try:
            await _prepare(database, config)
            await Service(config, database, now=now, ids=ids).run(stopping, ready)
        finally:
            await database.close()


async def _prepare(database: Database, config: ServiceConfig) -> None:
    """Replicas that share a database find it ready: who migrates it does so once, and knows that it does."""
    if config.migrate or database.is_embedded:
        await database.migrate()
    else:
        await database.check()


class Service:
    """The parts of one process and how they hang together."""

    def __init__(
        self, config: ServiceConfig, database: Database, *, now: Callable[[], datetime], ids: Callable[[], UUID]
    ) -> None:
        limits = config.limits
        evidence = self._evidence = open_evidence(config.evidence, config.evidence_keys, makes_key=config.access is None)
        self._config = config
        self._database = database
        self._feed = Feed(database, respond=partial(watch_response, now=now), poll_s=limits.poll_s, queue=limits.watch_queue)
        self._sightings = Sightings(database, now=now)
        self._board = AssignmentBoard(database, poll_s=limits.poll_s)
        self._listener = Listener(database, {Head.EVENT_CHANGES: self._feed.notify, Head.VENUE_CHANGES: self._board.notify})
        self._recorder = Recorder(database, evidence, now=now, ids=ids, recorded=self._feed.notify)
        self._commit = GroupCommit(self._recorder.record, capacity=limits.batches_waiting)
        self._retention = Retention(database, evidence, config.retention, now=now)
        self._courier = Courier(database, config.secrets, now=now, jitter=random.random)
        self._health_log = HealthLog(database, now=now, ids=ids)
        self._health = Health(database, SERVICES)
        self._guard = Guard(config.access, limits, database, now=now, clock=time.monotonic)
        self._server = new_server(limits, (ErrorInterceptor(), AccessInterceptor(self._guard), SerializedInterceptor()))
        self._signals = SignalServicer(self._commit, now=now, in_flight=limits.batches_in_flight)
        for add_to, servicer in self._servicers(evidence, now=now, ids=ids):
            add_to(servicer, self._server)
        self._health.add_to(self._server)
        add_reflection(self._server, (*SERVICES, HEALTH))

    def _servicers(
        self, evidence: EvidenceStore, *, now: Callable[[], datetime], ids: Callable[[], UUID]
    ) -> Iterator[tuple[Callable[[Any, aio.Server], None], object]]:
        """What answers the calls of each service, with what has a server ask it."""
        database, limits = self._database, self._config.limits
        watch = EventWatch(database, self._feed, self._sightings, now=now, heartbeat_s=limits.heartbeat_s)
        reviewer = Reviewer(database, Planner(now=now, ids=ids), now=now, planned=self._courier.notify)
        events = EventServicer(database, evidence, self._feed, watch, reviewer, now=now, ids=ids)
        venues = VenueServicer(database, now=now, ids=ids, applied=self._board.notify)
        assignments = AssignmentServicer(self._board, now=now, heartbeat_s=limits.heartbeat_s, lease_s=limits.lease_s)
        cameras = CameraServicer(
            database, self._recorder, self._board, health_log=self._health_log, now=now, lease_s=limits.lease_s
        )
        authorizations = AuthorizationServicer(database, now=now, ids=ids, changed=self._board.notify)
        integrations = IntegrationServicer(database, now=now, ids=ids, planned=self._courier.notify)
        yield signal_service_pb2_grpc.add_SignalServiceServicer_to_server, self._signals
        yield event_service_pb2_grpc.add_EventServiceServicer_to_server, events
        yield venue_service_pb2_grpc.add_VenueServiceServicer_to_server, venues
        yield assignment_service_pb2_grpc.add_AssignmentServiceServicer_to_server, assignments
        yield camera_service_pb2_grpc.add_CameraServiceServicer_to_server, cameras
        yield authorization_service_pb2_grpc.add_AuthorizationServiceServicer_to_server, authorizations
        yield audit_service_pb2_grpc.add_AuditServiceServicer_to_server, AuditServicer(database, now=now)
        retention = RetentionServicer(database, self._retention, now=now)
        yield retention_service_pb2_grpc.add_RetentionServiceServicer_to_server, retention
        yield report_service_pb2_grpc.add_ReportServiceServicer_to_server, ReportServicer(database, now=now)
        yield integration_service_pb2_grpc.add_IntegrationServiceServicer_to_server, integrations

    async def run(self, stopping: asyncio.Event, ready: Callable[[str], None] | None) -> None:
        """Serves until told to stop."""
        try:
            await self._run(stopping, ready)
        finally:
            await self._server.stop(None)
            await self._health.close()

    async def _run(self, stopping: asyncio.Event, ready: Callable[[str], None] | None) -> None:
        address, token_address = listen(self._server, self._config)
        health_address = self._health.listen(self._config.health_address) if self._config.health_address else ""
        await self._evidence.check()
        await self._feed.step()
        await self._board.step()
        await self._health.start()
        async with asyncio.TaskGroup() as tasks:
            loops = (
                self._guard.run(),
                self._listener.run(),
                self._feed.run(),
                self._sightings.run(),
                self._board.run(),
                self._courier.run(self._config.limits.poll_s),
                self._retention.run(),
                self._drop_old(),
            )
            following = [tasks.create_task(loop) for loop in loops]
            watching_database = tasks.create_task(self._health.run())
            recording = tasks.create_task(self._commit.run())
            await self._server.start()
            _log.info("serving", address=address, token_address=token_address, health_address=health_address)
            if ready is not None:
                ready(address)
            await stopping.wait()
            watching_database.cancel()
            await self._drain()
            await self._finish(recording)
            for task in following:
                task.cancel()
        _log.info("stopped")

    async def _drain(self) -> None:
        """Sends callers to other replicas and ends what is open here; what they sent is still recorded and acknowledged."""
        _log.info("stopping", drain_s=self._config.drain_s)
        await self._health.stop()
        await asyncio.sleep(self._config.drain_s)
        closing = asyncio.create_task(self._server.stop(self._config.limits.stop_grace_s))
        self._signals.stop()
        self._feed.stop()
        await self._board.stop()
        await closing
        await self._guard.stop()

    async def _finish(self, recording: "asyncio.Task[None]") -> None:
        """Records what callers left behind. What takes longer than the grace was not acknowledged, and comes again."""
        try:
            async with asyncio.timeout(self._config.limits.stop_grace_s):
                await self._commit.stop()
                await recording
                await self._sightings.step()
        except (TimeoutError, UnavailableError) as error:
            _log.warning("not all is recorded", problem=str(error) or "the database did not answer in time")
            recording.cancel()

    async def _drop_old(self) -> None:
        while True:
            try:
                async with self._database.write() as work:
                    await work.events.drop_changes(keep=self._config.limits.changes_kept)
                    await work.commit()
                await self._health_log.tidy(keep=self._config.limits.health_events_kept)
            except UnavailableError as error:
                _log.warning("what is old stays for now", problem=error.message)
            await asyncio.sleep(DROPPED_EVERY_S)


@contextmanager
def _signals_set(stopping: asyncio.Event) -> Iterator[None]:
    """Lets SIGTERM and SIGINT set the event, where this thread may say so."""
    numbers = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    loop = asyncio.get_running_loop()
    for number in numbers:
        loop.add_signal_handler(number, stopping.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
