"""Takes signals from the outbox to the coordination service, each at least once; their ids make it exactly once there.

The threads of gRPC's synchronous interface are used rather than an event loop: a group's process is threads already, the outbox
blocks on the disk, and a stream is two loops that wait, one that sends and one that hears.
"""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import grpc
import structlog

from cluster.reporting.client import denied_venue, describe, retry_wait_s
from cluster.reporting.convert import unpacked
from cluster.reporting.outbox import Entry, Outbox
from vigie.v1 import signal_service_pb2, signal_service_pb2_grpc

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """Bounds of the delivery of one outbox.

    Attributes:
        batch_signals: in one message; the contract allows 256.
        batch_bytes: in one message, but for a signal that is larger by itself; gRPC allows 4 MiB.
        batches_in_flight: sent and not yet acknowledged.
        acknowledgement_s: how long a batch may take; after that the stream is given up and opened anew.
        idle_s: how long a stream stays open with nothing to say.
        stream_s: how long a stream lives at most, so that load finds new replicas.
        backoff_s: the longest wait between two attempts.
        denied_s: how long the signals of a venue are held back for which the cluster may not speak.
    """

    batch_signals: int = 256
    batch_bytes: int = 2 << 20
    batches_in_flight: int = 4
    acknowledgement_s: float = 20.0
    idle_s: float = 30.0
    stream_s: float = 600.0
    backoff_s: float = 5.0
    denied_s: float = 60.0


DEFAULT_LIMITS = DeliveryLimits()


@dataclass(slots=True)
class Window:
    """The batches of one stream that were sent and not yet acknowledged.

    Attributes:
        opened_s: when the stream was opened.
        heard_s: when the stream last had something to say or to hear.
        passed_over: beginnings of the names of cameras whose signals it leaves out.
        after: the number of the last entry that was sent.
        closed: whether the stream has ended.
        in_flight: entries and the moment of sending, by batch id.
    """

    opened_s: float
    heard_s: float
    passed_over: tuple[str, ...] = ()
    after: int = 0
    closed: bool = False
    in_flight: dict[int, tuple[Sequence[Entry], float]] = field(default_factory=dict)

    def send(self, entries: Sequence[Entry], now_s: float) -> signal_service_pb2.ReportSignalsRequest:
        """The message for entries that are sent now; a batch is known by the number of its last entry."""
        self.after = entries[-1].number
        self.in_flight[self.after] = (entries, now_s)
        self.heard_s = now_s
        return signal_service_pb2.ReportSignalsRequest(batch_id=self.after, signals=[unpacked(entry.parcel) for entry in entries])

    def acknowledge(self, batch_id: int, now_s: float) -> Sequence[Entry]:
        """The entries of a batch that was acknowledged; none where it is not known."""
        self.heard_s = now_s
        entries, _ = self.in_flight.pop(batch_id, ((), 0.0))
        return entries

    def oldest_s(self) -> float | None:
        """When the batch that waits longest was sent."""
        return min((sent_s for _, sent_s in self.in_flight.values()), default=None)


class SignalReporter:
    """Delivers one outbox, in a thread of its own, for as long as it takes.

    Args:
        outbox: what is delivered.
        stub: the service.
        limits: bounds.
        clock: monotonic seconds.
        jitter: a number from 0 to 1 that spreads attempts.
    """

    def __init__(
        self,
        outbox: Outbox,
        stub: signal_service_pb2_grpc.SignalServiceStub,
        *,
        clock: Callable[[], float],
        limits: DeliveryLimits = DEFAULT_LIMITS,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbox = outbox
        self._stub = stub
        self._limits = limits
        self._clock = clock
        self._jitter = jitter
        self._changed = threading.Condition()
        self._news = 0
        self._draining = False
        self._halted = threading.Event()
        self._call: grpc.Call | None = None
        self._failures = 0
        self._denied_s: dict[str, float] = {}
        self._thread = threading.Thread(target=self.run, name="signal-reporter", daemon=True)

    def start(self) -> None:
        """Starts to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """Says that there is something new to deliver."""
        with self._changed:
            self._news += 1
            self._changed.notify_all()

    def stop(self, grace_s: float) -> None:
        """Delivers what still waits for at most `grace_s`, then ends. What is left stays in the outbox."""
        self._draining = True
        self.wake()
        self._thread.join(grace_s)
        self._halted.set()
        if call := self._call:
            call.cancel()
        self._thread.join()

    def run(self) -> None:
        """Opens a stream whenever something waits, until it is stopped."""
        while not self._halted.is_set():
            try:
                if not self._await_signals():
                    return
                self.deliver()
            except grpc.RpcError as error:
                self._heed(error)
            except Exception as error:  # noqa: BLE001 - the edge of the loop: whatever is wrong is told and tried again
                self._back_off(f"{type(error).__name__}: {error}")

    def deliver(self) -> None:
        """One stream, from its opening to its end.

        Raises grpc.RpcError when the service cannot be reached or gives up, and sqlite3.Error when the outbox cannot be read.
        """
        window = Window(opened_s=self._clock(), heard_s=self._clock(), passed_over=self._held_back())
        call = self._call = self._stub.ReportSignals(self._requests(window), timeout=self._limits.stream_s * 2)
        try:
            for response in call:
                self._settle(window, response)
        finally:
            call.cancel()
            self._call = None
            window.closed = True
            self.wake()

    def _await_signals(self) -> bool:
        """Waits until something waits; False when it is time to end."""
        while not self._halted.is_set():
            news = self._news
            if self._outbox.counts().pending and self._peek(1, after=0, passed_over=self._held_back()):
                return True
            if self._draining:
                return False
            self._await_news(news)
        return False

    def _await_news(self, news: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._news != news, timeout=1.0)

    def _requests(self, window: Window) -> Iterator[signal_service_pb2.ReportSignalsRequest]:
        while not window.closed:
            news = self._news
            if batch := self._next_batch(window):
                yield batch
            elif self._is_over(window):
                return
            else:
                self._await_news(news)

    def _next_batch(self, window: Window) -> signal_service_pb2.ReportSignalsRequest | None:
        limits, now_s = self._limits, self._clock()
        oldest_s = window.oldest_s()
        if oldest_s is not None and now_s - oldest_s > limits.acknowledgement_s and self._call:
            self._call.cancel()
        if len(window.in_flight) >= limits.batches_in_flight or self._is_old(window):
            return None
        entries = self._peek(limits.batch_signals, after=window.after, passed_over=window.passed_over)
        with self._changed:
            return window.send(entries, now_s) if entries else None

    def _peek(self, limit: int, *, after: int, passed_over: tuple[str, ...]) -> list[Entry]:
        return self._outbox.peek(
            after=after,
            limit=limit,
            limit_bytes=self._limits.batch_bytes,
            wanted=lambda parcel: not passed_over or not unpacked(parcel).camera.startswith(passed_over),
        )

    def _held_back(self) -> tuple[str, ...]:
        """How the names of cameras begin for which the cluster may not speak: their signals keep no others waiting."""
        now_s = self._clock()
        self._denied_s = {venue: since_s for venue, since_s in self._denied_s.items() if now_s - since_s < self._limits.denied_s}
        return tuple(f"venues/{venue}/" for venue in self._denied_s)

    def _is_old(self, window: Window) -> bool:
        """Whether nothing more is to be sent on a stream: the next one finds new replicas, or what this one passes over."""
        return self._clock() - window.opened_s > self._limits.stream_s or window.passed_over != self._held_back()

    def _is_over(self, window: Window) -> bool:
        """Whether a stream with nothing to send now is to end, and not to wait for more."""
        rests = self._draining or self._clock() - window.heard_s > self._limits.idle_s or self._is_old(window)
        return rests and not window.in_flight

    def _settle(self, window: Window, response: signal_service_pb2.ReportSignalsResponse) -> None:
        with self._changed:
            entries = window.acknowledge(response.batch_id, self._clock())
        reasons = {(rejection.signal_id, rejection.revision): _reason(rejection) for rejection in response.rejections}
        parcels = {entry.number: entry.parcel for entry in entries}
        rejected = {
            number: reasons[parcel.signal_id, parcel.revision]
            for number, parcel in parcels.items()
            if (parcel.signal_id, parcel.revision) in reasons
        }
        for number, reason in rejected.items():
            _log.error("signal rejected", signal=parcels[number].signal_id, reason=reason, outbox=str(self._outbox.path))
        self._outbox.settle(list(parcels), rejected)
        self._failures = 0
        self.wake()

    def _heed(self, error: grpc.RpcError) -> None:
        """Holds back the signals of the one venue that a call was refused for; waits a little after any other failure."""
        venue = denied_venue(error)
        if venue is None or venue in self._denied_s:
            self._back_off(describe(error))
            return
        self._denied_s[venue] = self._clock()
        _log.error(
            "signals of a venue are held back: this cluster may not speak for it; see its certificate",
            venue=venue,
            outbox=str(self._outbox.path),
            problem=describe(error),
        )

    def _back_off(self, problem: str) -> None:
        if self._halted.is_set():
            return
        _log.warning("signals wait in the outbox until the service takes them", outbox=str(self._outbox.path), problem=problem)
        self._halted.wait(retry_wait_s(self._failures, cap_s=self._limits.backoff_s, draw=self._jitter()))
        self._failures += 1


def _reason(rejection: signal_service_pb2.SignalRejection) -> str:
    name = signal_service_pb2.RejectionReason.Name(rejection.reason).removeprefix("REJECTION_REASON_")
    return f"{name}: {rejection.message}"
