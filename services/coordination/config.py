"""The settings of the coordination service, read once."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from services.coordination.errors import ConfigurationError

DEFAULT_ADDRESS = "127.0.0.1:7430"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds and periods that hold for every caller.

    Attributes:
        message_bytes: largest gRPC message.
        batches_in_flight: batches of one stream that may wait for their commit.
        batches_waiting: batches of all streams that may wait for the writer.
        streams_per_peer: streaming calls that one peer address may hold open.
        streams: streaming calls that all callers together may hold open.
        watch_queue: changes that may wait for one watcher.
        heartbeat_s: longest silence of a watch.
        poll_s: how often the process looks for what other replicas recorded.
        changes_kept: changes of events that a watcher can go back to.
        stop_grace_s: how long calls may go on after the service was told to stop.
    """

    message_bytes: int = 4 * 1024 * 1024
    batches_in_flight: int = 8
    batches_waiting: int = 64
    streams_per_peer: int = 256
    streams: int = 4096
    watch_queue: int = 1024
    heartbeat_s: float = 15.0
    poll_s: float = 1.0
    changes_kept: int = 100_000
    stop_grace_s: float = 3.0


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """What one process of the coordination service needs to know.

    Attributes:
        database_url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.
        evidence_dir: folder of the evidence pictures; replicas share it.
        address: where to listen, as `HOST:PORT`; port 0 takes a free one.
        migrate: bring the tables of a server's database up to date at the start, as those of a file always are.
        insecure_remote: listen on an address that other machines reach, although callers are not identified.
        limits: bounds and periods.
    """

    database_url: str
    evidence_dir: Path
    address: str = DEFAULT_ADDRESS
    migrate: bool = False
    insecure_remote: bool = False
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuses an address that other machines reach, unless told otherwise."""
        host, _, port = self.address.rpartition(":")
        if not port.isdigit() or int(port) > 65535 or not host:
            raise ConfigurationError(f"address {self.address!r}: expected HOST:PORT, such as 127.0.0.1:7430")
        if not self.insecure_remote and not _is_loopback(host):
            raise ConfigurationError(
                f"address {self.address!r}: other machines could reach it, and callers are neither identified nor encrypted yet; "
                "listen on 127.0.0.1, or accept the risk with --insecure-remote"
            )


def service_config(environment: Mapping[str, str]) -> ServiceConfig:
    """The settings from `VIGIE_DATABASE_URL`, `VIGIE_EVIDENCE_DIR`, `VIGIE_ADDRESS` and `VIGIE_INSECURE_REMOTE`.

    Without them the record stands in the user's data folder and only this machine is served. Raises ConfigurationError.
    """
    data = user_data_path("vigie")
    return ServiceConfig(
        database_url=environment.get("VIGIE_DATABASE_URL") or f"sqlite:///{data / 'vigie.db'}",
        evidence_dir=Path(environment.get("VIGIE_EVIDENCE_DIR") or data / "evidence"),
        address=environment.get("VIGIE_ADDRESS") or DEFAULT_ADDRESS,
        insecure_remote=environment.get("VIGIE_INSECURE_REMOTE", "").lower() in {"1", "true", "yes"},
    )


def _is_loopback(host: str) -> bool:
    bare = host.strip("[]")
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
