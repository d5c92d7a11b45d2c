"""The reporter against a real gRPC server that does as the test tells it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import grpc
import pytest

from cluster.reporting.client import open_channel
from cluster.reporting.delivery import DEFAULT_LIMITS, DeliveryLimits, SignalReporter
from cluster.reporting.outbox import Entry, Outbox, Parcel
from tests.eventually import eventually
from tests.fakes.coordination import FakeCoordination
from vigie.identity import NOTHING
from vigie.v1 import signal_service_pb2_grpc, signals_pb2

Reporting = Callable[..., SignalReporter]


def parcel(signal_id: str, picture: bytes | None = None, *, camera: str = "") -> Parcel:
    message = signals_pb2.Signal(signal_id=signal_id, revision=1, camera=camera)
    return Parcel(signal_id, 1, message.SerializeToString(), picture)


@pytest.fixture
def service() -> Iterator[FakeCoordination]:
    with FakeCoordination() as service:
        yield service


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path, 1 << 20)


@pytest.fixture
def reporting(service: FakeCoordination, outbox: Outbox) -> Iterator[Reporting]:
    started: list[SignalReporter] = []
    channel = open_channel(service.address, NOTHING)

    def start(limits: DeliveryLimits = DEFAULT_LIMITS, outbox: Outbox = outbox) -> SignalReporter:
        stub = signal_service_pb2_grpc.SignalServiceStub(channel)
        reporter = SignalReporter(outbox, stub, clock=time.monotonic, limits=limits, jitter=lambda: 0.5)
        reporter.start()
        started.append(reporter)
        return reporter

    yield start
    for reporter in started:
        reporter.stop(0)
    channel.close()


def test_what_waits_is_delivered_in_order_with_its_picture(
    service: FakeCoordination, outbox: Outbox, reporting: Reporting
) -> None:
    outbox.put([parcel("a", b"jpeg"), parcel("b")])
    reporting()
    eventually(lambda: outbox.counts().recorded == 2)
    assert [signal.signal_id for batch in service.batches for signal in batch.signals] == ["a", "b"]
    evidence = service.recorded["a", 1].evidence
    assert (evidence.jpeg, evidence.size_bytes, evidence.sha256) == (b"jpeg", 4, sha256(b"jpeg").hexdigest())
    assert not service.recorded["b", 1].HasField("evidence")


def test_what_is_put_later_goes_over_the_open_stream(service: FakeCoordination, outbox: Outbox, reporting: Reporting) -> None:
    reporter = reporting()
    for name in ("a", "b", "c"):
        outbox.put([parcel(name)])
        reporter.wake()
        eventually(lambda name=name: (name, 1) in service.recorded)  # type: ignore[misc]
    eventually(lambda: outbox.counts().pending == 0)


def test_signals_of_a_day_without_a_link_are_delivered_in_the_order_in_which_they_were_raised(
    service: FakeCoordination, tmp_path: Path, reporting: Reporting
) -> None:
    """Eight cameras that raise a signal a minute each, with three revisions: pictures aside, those weigh more than a signal."""
    outbox = Outbox(tmp_path, 64 << 20)
    service.stop()
    revisions = [f"{minute}-{camera}-{revision}" for minute in range(24 * 60) for camera in range(8) for revision in range(3)]
    for minute in range(0, len(revisions), 24):
        outbox.put([parcel(name) for name in revisions[minute : minute + 24]])
    reporter = reporting(outbox=outbox)
    service.start()
    eventually(lambda: outbox.counts().pending == 0, within_s=60)
    reporter.stop(0)
    assert [signal_id for signal_id, _ in service.recorded] == revisions


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_batch_that_was_not_acknowledged_is_sent_again(
    service: FakeCoordination, outbox: Outbox, reporting: Reporting, code: grpc.StatusCode
) -> None:
    service.deaf.extend([code, code])
    outbox.put([parcel("a")])
    reporting()
    eventually(lambda: outbox.counts().recorded == 1)
    assert len(service.batches) == 3


def test_signals_survive_the_death_of_the_service(service: FakeCoordination, outbox: Outbox, reporting: Reporting) -> None:
    reporter = reporting()
    outbox.put([parcel("before")])
    eventually(lambda: outbox.counts().recorded == 1)
    service.stop()
    outbox.put([parcel("meanwhile")])
    reporter.wake()
    service.start()
    eventually(lambda: ("meanwhile", 1) in service.recorded)
    eventually(lambda: outbox.counts().recorded == 2)


def test_rejected_signal_is_set_aside_and_the_others_of_its_batch_are_recorded(
    service: FakeCoordination, outbox: Outbox, reporting: Reporting
) -> None:
    service.rejections["bad"] = "score: 7 is not within 0 to 1"
    outbox.put([parcel("good"), parcel("bad"), parcel("better")])
    reporting()
    eventually(lambda: outbox.counts().pending == 0)
    assert (outbox.counts().recorded, outbox.counts().rejected) == (2, 1)


class MeasuredOutbox(Outbox):
    """Knows how many entries were at most given out and not yet settled."""

    outstanding = 0

    def peek(self, *, after: int, limit: int, limit_bytes: int, wanted: Callable[[Parcel], bool] = lambda _: True) -> list[Entry]:
        entries = super().peek(after=after, limit=limit, limit_bytes=limit_bytes, wanted=wanted)
        if entries:
            self.outstanding = max(self.outstanding, entries[-1].number - self.counts().recorded)
        return entries


def test_venue_for_which_the_cluster_may_not_speak_keeps_no_other_waiting(
    service: FakeCoordination, outbox: Outbox, reporting: Reporting
) -> None:
    service.denied = {"lost"}
    outbox.put([parcel("a", camera="venues/lost/cameras/c"), parcel("b", camera="venues/kept/cameras/c")])
    reporting(replace(DEFAULT_LIMITS, denied_s=0.5))
    eventually(lambda: outbox.counts().recorded == 1)
    assert service.recorded.keys() == {("b", 1)}

    service.denied = set()
    eventually(lambda: outbox.counts().recorded == 2)
    assert service.recorded.keys() == {("a", 1), ("b", 1)}


def test_batches_in_flight_are_bounded(service: FakeCoordination, tmp_path: Path) -> None:
    outbox = MeasuredOutbox(tmp_path, 1 << 20)
    outbox.put([parcel(f"s{index}") for index in range(10)])
    service.answering.clear()
    with open_channel(service.address, NOTHING) as channel:
        stub = signal_service_pb2_grpc.SignalServiceStub(channel)
        limits = replace(DEFAULT_LIMITS, batch_signals=1, batches_in_flight=2)
        reporter = SignalReporter(outbox, stub, clock=time.monotonic, limits=limits)
        reporter.start()
        eventually(lambda: outbox.outstanding == 2)
        service.answering.set()
        eventually(lambda: outbox.counts().recorded == 10)
        reporter.stop(10)
    assert outbox.outstanding == 2
    assert [batch.batch_id for batch in service.batches] == list(range(1, 11))


def test_service_that_takes_signals_and_never_answers_is_given_up(
    service: FakeCoordination, outbox: Outbox, reporting: Reporting
) -> None:
    service.answering.clear()
    outbox.put([parcel("a")])
    reporting(replace(DEFAULT_LIMITS, acknowledgement_s=0.1))
    eventually(lambda: len(service.batches) >= 2)
    service.answering.set()
    eventually(lambda: outbox.counts().recorded == 1)
    assert list(service.recorded) == [("a", 1)]


def test_idle_stream_is_closed_and_opened_again(service: FakeCoordination, outbox: Outbox, reporting: Reporting) -> None:
    reporter = reporting(replace(DEFAULT_LIMITS, idle_s=0.0))
    for count in (1, 2, 3):
        outbox.put([parcel(f"s{count}")])
        reporter.wake()
        eventually(lambda count=count: outbox.counts().recorded == count)  # type: ignore[misc]


def test_stopping_delivers_what_waits_and_leaves_the_rest_on_disk(
    service: FakeCoordination, outbox: Outbox, reporting: Reporting
) -> None:
    outbox.put([parcel("a")])
    reporting().stop(10)
    assert outbox.counts().recorded == 1
    service.stop()
    outbox.put([parcel("b")])
    reporting().stop(0.3)
    assert outbox.counts().pending == 1
