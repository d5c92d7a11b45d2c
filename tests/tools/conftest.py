"""A coordination service of the tests' own, and `vigie` as a user calls it."""

import asyncio
import hashlib
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import structlog
from uuid_utils.compat import uuid7

from services.coordination.config import ServiceConfig
from services.coordination.main import serve
from tools import main
from vigie.channel import open_channel
from vigie.identity import NOTHING, Proof
from vigie.v1 import signal_service_pb2, signal_service_pb2_grpc, signals_pb2, vocabulary_pb2

VENUE = """\
venue: arena
name: Arena
time_zone: Europe/Paris
authorizations:
  - id: act-1
    reference: act 1
    controller: prefect
    motive: test
    start: {start}
    end: {end}
    cameras: all
    kinds: [ZONE_INTRUSION]
cameras:
  - id: gate-1
    stream: file:clip.mp4
    picture: {{width: 768, height: 576}}
    zones:
      grass: {{polygon: [[0, 300], [400, 300], [400, 500]]}}
    rules:
      - {{kind: ZONE_INTRUSION, zone: grass}}
"""
# Acts never change once they are recorded: whoever writes the venue's file anew writes the same act.
BEGUN = datetime.now(UTC)
PICTURE = b"\xff\xd8\xff\xe0 a blurred picture \xff\xd9"
CAMERA = "venues/arena/cameras/gate-1"


@pytest.fixture(autouse=True)
def anonymous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has commands call services that know nobody, as those of the tests do."""
    monkeypatch.setenv("VIGIE_IDENTITY", "none")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call of `vigie` ended."""

    code: int
    out: str
    err: str


@contextmanager
def serving(folder: Path, address: str = "127.0.0.1:0") -> Iterator[str]:
    """A coordination service over a SQLite database in a folder; its address."""
    ready: queue.Queue[str] = queue.Queue()
    stops: queue.Queue[Callable[[], object]] = queue.Queue()
    config = ServiceConfig(f"sqlite:///{folder / 'vigie.db'}", folder / "evidence", address)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.put(partial(loop.call_soon_threadsafe, stop.set))
        await serve(config, ready.put, stop=stop)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    log = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # else it would be taken for what `vigie` prints
    thread.start()
    try:
        yield ready.get(timeout=60)
    finally:
        stops.get()()
        thread.join()
        structlog.configure(**log)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a coordination service without venues."""
    with serving(tmp_path_factory.mktemp("service")) as address:
        yield address


@pytest.fixture
def venue_path(tmp_path: Path) -> Path:
    """The file of a venue whose act is in force."""
    path = tmp_path / "arena.yaml"
    path.write_text(VENUE.format(start=BEGUN - timedelta(hours=1), end=BEGUN + timedelta(hours=1)))
    return path


@pytest.fixture
def vigie(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Calls `vigie` with arguments, in this process."""

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["vigie", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.run()
        output = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), output.out, output.err)

    return call


def intrusion() -> signals_pb2.Signal:
    """An intrusion at the gate that begins now, with a picture."""
    signal = signals_pb2.Signal(
        signal_id=str(uuid7()),
        revision=1,
        camera=CAMERA,
        incarnation=1,
        kind=vocabulary_pb2.KIND_ZONE_INTRUSION,
        zone="grass",
        severity=vocabulary_pb2.SEVERITY_WARNING,
        score=0.8,
        reason="a person for 1.2 s [in grass]",
        box=signals_pb2.Box(x0=1, y0=2, x1=30, y1=40),
        evidence=signals_pb2.Evidence(sha256=hashlib.sha256(PICTURE).hexdigest(), size_bytes=len(PICTURE), jpeg=PICTURE),
    )
    for time in (signal.open_time, signal.update_time, signal.raise_time):
        time.FromDatetime(datetime.now(UTC))
    return signal


def report(address: str, *signals: signals_pb2.Signal, proof: Proof = NOTHING) -> signal_service_pb2.ReportSignalsResponse:
    """Reports signals in one batch; the answer."""
    with open_channel(address, proof) as channel:
        stub = signal_service_pb2_grpc.SignalServiceStub(channel)
        batch = signal_service_pb2.ReportSignalsRequest(batch_id=1, signals=signals)
        (answer,) = stub.ReportSignals(iter([batch]), timeout=10)
    return answer


def raise_signal(address: str, proof: Proof = NOTHING) -> None:
    """Raises an intrusion with a picture at the gate, and has it recorded."""
    answer = report(address, intrusion(), proof=proof)
    assert answer.recorded == 1, answer
