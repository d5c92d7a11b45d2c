"""A coordination service in memory that does as a test tells it."""

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Self

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from vigie.v1 import (
    assignment_service_pb2,
    assignment_service_pb2_grpc,
    assignments_pb2,
    authorizations_pb2,
    camera_service_pb2,
    camera_service_pb2_grpc,
    cameras_pb2,
    signal_service_pb2,
    signal_service_pb2_grpc,
    signals_pb2,
)


class FakeCoordination(
    signal_service_pb2_grpc.SignalServiceServicer,
    camera_service_pb2_grpc.CameraServiceServicer,
    assignment_service_pb2_grpc.AssignmentServiceServicer,
):
    """Records signals in a dictionary.

    Attributes:
        batches: every batch that came, also those that were not acknowledged.
        recorded: signals by id and revision.
        rejections: reasons by signal id.
        deaf: batches still to come that are read and never acknowledged, after which the stream fails.
        denied: ids of the venues for which the caller may not speak.
        answering: cleared, batches are taken and no acknowledgement is sent until it is set.
        health: the last word of each camera.
        superseded: cameras that have another owner.
        acts: what the leases of all others allow.
        lease_s: for how long.
        updates: responses of the assignment watch; None ends it.
    """

    def __init__(self) -> None:
        self.batches: list[signal_service_pb2.ReportSignalsRequest] = []
        self.recorded: dict[tuple[str, int], signals_pb2.Signal] = {}
        self.rejections: dict[str, str] = {}
        self.deaf: deque[grpc.StatusCode] = deque()
        self.denied: set[str] = set()
        self.answering = threading.Event()
        self.answering.set()
        self.health: dict[str, cameras_pb2.CameraHealth] = {}
        self.superseded: set[str] = set()
        self.acts: list[authorizations_pb2.Authorization] = []
        self.lease_s = 60.0
        self.updates: Queue[assignment_service_pb2.WatchAssignmentsResponse | None] = Queue()
        self._server: grpc.Server | None = None
        self._port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> Self:
        """Listens; after a stop, at the same address."""
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        signal_service_pb2_grpc.add_SignalServiceServicer_to_server(self, self._server)
        camera_service_pb2_grpc.add_CameraServiceServicer_to_server(self, self._server)
        assignment_service_pb2_grpc.add_AssignmentServiceServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        self._server.start()
        return self

    def stop(self) -> None:
        """Dies with every call that is open."""
        if self._server:
            self.answering.set()
            self.updates.put(None)
            self._server.stop(None).wait()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ReportSignals(  # noqa: N802 - the name in the contract
        self, request_iterator: Iterator[signal_service_pb2.ReportSignalsRequest], context: grpc.ServicerContext
    ) -> Iterator[signal_service_pb2.ReportSignalsResponse]:
        for request in request_iterator:
            self.batches.append(request)
            if self.deaf:
                context.abort(self.deaf.popleft(), "as the test wishes")
            for venue in self.denied & {signal.camera.split("/")[1] for signal in request.signals if signal.camera}:
                context.abort_with_status(rpc_status.to_status(_denial(venue)))
            yield self._record(request)

    def ReportCameraHealth(  # noqa: N802 - the name in the contract
        self, request: camera_service_pb2.ReportCameraHealthRequest, context: grpc.ServicerContext
    ) -> camera_service_pb2.ReportCameraHealthResponse:
        self.health.update((camera.camera, camera) for camera in request.cameras)
        named = {camera.camera for camera in request.cameras}
        leases = [assignments_pb2.Lease(camera=camera, authorizations=self.acts) for camera in sorted(named - self.superseded)]
        for lease in leases:
            lease.duration.FromMilliseconds(round(self.lease_s * 1000))
        return camera_service_pb2.ReportCameraHealthResponse(superseded_cameras=sorted(self.superseded & named), leases=leases)

    def ListCameras(  # noqa: N802 - the name in the contract
        self, request: camera_service_pb2.ListCamerasRequest, context: grpc.ServicerContext
    ) -> camera_service_pb2.ListCamerasResponse:
        return camera_service_pb2.ListCamerasResponse(
            cameras=[cameras_pb2.CameraStatus(health=health) for health in self.health.values()]
        )

    def ListHealthEvents(  # noqa: N802 - the name in the contract
        self, request: camera_service_pb2.ListHealthEventsRequest, context: grpc.ServicerContext
    ) -> camera_service_pb2.ListHealthEventsResponse:
        return camera_service_pb2.ListHealthEventsResponse()

    def WatchAssignments(  # noqa: N802 - the name in the contract
        self, request: assignment_service_pb2.WatchAssignmentsRequest, context: grpc.ServicerContext
    ) -> Iterator[assignment_service_pb2.WatchAssignmentsResponse]:
        yield from iter(self.updates.get, None)

    def _record(self, request: signal_service_pb2.ReportSignalsRequest) -> signal_service_pb2.ReportSignalsResponse:
        response = signal_service_pb2.ReportSignalsResponse(batch_id=request.batch_id)
        for signal in request.signals:
            key = (signal.signal_id, signal.revision)
            if message := self.rejections.get(signal.signal_id):
                response.rejections.add(
                    signal_id=signal.signal_id,
                    revision=signal.revision,
                    reason=signal_service_pb2.REJECTION_REASON_INVALID,
                    message=message,
                )
            elif key not in self.recorded:
                self.recorded[key] = signal
                response.recorded += 1
        self.answering.wait()
        return response


def _denial(venue: str) -> status_pb2.Status:
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason="ACCESS_DENIED", domain="vigie", metadata={"venue": venue}))
    return status_pb2.Status(code=grpc.StatusCode.PERMISSION_DENIED.value[0], message=f"not at {venue}", details=[info])
