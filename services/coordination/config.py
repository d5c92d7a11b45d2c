"""The settings of the coordination service, read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_data_path

from services.coordination.domain.retention import RetentionPeriods, retention_periods
from services.coordination.errors import ConfigurationError
from services.coordination.evidence.sealing import Keyring
from services.coordination.evidence.settings import EvidencePlace, evidence_from, evidence_keys
from vigie.hosts import is_loopback
from vigie.identity import SERVER, identity_home

_SECRET = "VIGIE_SECRET_"  # noqa: S105 - how the names of such settings begin
DEFAULT_ADDRESS = "127.0.0.1:7430"
LEASE_S = 60.0
LEASE_LIMITS_S = (10, 3600)
DRAIN_LIMITS_S = (0, 300)
DEFAULT_ROLES_CLAIM = "vigie_roles"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds and periods that hold for every caller.

    Attributes:
        message_bytes: largest gRPC message.
        batches_in_flight: batches of one stream that may wait for their commit.
        batches_waiting: batches of all streams that may wait for the writer.
        calls_per_caller: calls that one caller may hold open, watches among them.
        calls: calls that all callers together may hold open.
        calls_per_s: calls that one caller may begin in a second, and at once after a while of silence.
        request_s: how long a call may take to send its request.
        idle_s: how long a call that sends many requests may send none.
        watch_queue: changes that may wait for one watcher.
        heartbeat_s: longest silence of a watch.
        poll_s: how often the process looks for what other replicas recorded, and for who may not go on.
        changes_kept: changes of events that a watcher can go back to.
        health_events_kept: what was wrong with cameras and their hosts; what lasts is kept besides.
        lease_s: how long clusters analyse cameras without hearing of the service.
        stop_grace_s: how long calls may go on after the service was told to stop.
    """

    message_bytes: int = 4 * 1024 * 1024
    batches_in_flight: int = 8
    batches_waiting: int = 64
    calls_per_caller: int = 256
    calls: int = 4096
    calls_per_s: float = 500.0
    request_s: float = 10.0
    idle_s: float = 90.0
    watch_queue: int = 1024
    heartbeat_s: float = 15.0
    poll_s: float = 1.0
    changes_kept: int = 100_000
    health_events_kept: int = 100_000
    lease_s: float = LEASE_S
    stop_grace_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Issuer:
    """An OpenID Connect issuer, whose tokens are taken.

    Attributes:
        url: what it calls itself in its tokens.
        audience: what it calls this service in them.
        keys_url: where its keys are; empty to ask it.
        roles_claim: the claim that lists what somebody may do, such as `operator:arena`.
    """

    url: str
    audience: str
    keys_url: str = ""
    roles_claim: str = DEFAULT_ROLES_CLAIM

    def __post_init__(self) -> None:
        """Refuses addresses from which anyone on the way could give out keys."""
        checked_url("VIGIE_OIDC_ISSUER", self.url)
        if not self.audience:
            raise ConfigurationError("VIGIE_OIDC_AUDIENCE: is not set; say what the issuer calls this service in its tokens")
        if self.keys_url and not self.keys_url.startswith("file:///"):
            checked_url("VIGIE_OIDC_JWKS", self.keys_url)


@dataclass(frozen=True, slots=True)
class Access:
    """How callers prove who they are.

    Attributes:
        tls_dir: folder of the certificate of the service, and of the authorities whose certificates it takes.
        token_address: where to listen for callers with tokens, as `HOST:PORT`; empty for nowhere. Callers with certificates have
            the address of the service: one address cannot ask for certificates and do without.
        issuer: whose tokens are taken.
        revoked_file: what is taken back.
    """

    tls_dir: Path
    token_address: str = ""
    issuer: Issuer | None = None
    revoked_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuses a door that nobody can pass, and an issuer whose tokens nobody can bring."""
        if self.token_address:
            host_of("VIGIE_TOKEN_ADDRESS", self.token_address)
        if bool(self.token_address) != bool(self.issuer):
            raise ConfigurationError("VIGIE_TOKEN_ADDRESS and VIGIE_OIDC_ISSUER: set both, or neither to take certificates only")


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """What one process of the coordination service needs to know.

    Attributes:
        database_url: `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/NAME`.
        evidence: folder or bucket of the evidence pictures; replicas share it.
        address: where to listen, as `HOST:PORT`; port 0 takes a free one.
        health_address: where to answer probes, and nothing else, in the clear; empty for nowhere.
        drain_s: how long to serve on after it was told to stop, so that nobody new is sent here.
        migrate: bring the tables of a server's database up to date at the start, as those of a file always are.
        access: how callers prove who they are; None believes anyone on this machine.
        limits: bounds and periods.
        evidence_keys: what evidence is encrypted with; without, a service that believes anyone makes a key beside the folder.
        retention: how long pictures are kept.
        secrets: those that destinations of events name, by their names.
    """

    database_url: str
    evidence: EvidencePlace
    address: str = DEFAULT_ADDRESS
    health_address: str = ""
    drain_s: float = 0.0
    migrate: bool = False
    access: Access | None = None
    limits: Limits = Limits()
    evidence_keys: Keyring | None = None
    retention: RetentionPeriods = field(default_factory=RetentionPeriods)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Refuses to believe anyone on an address that other machines reach."""
        host = host_of("address", self.address)
        if self.health_address:
            host_of("VIGIE_HEALTH_ADDRESS", self.health_address)
        if self.access is None and not is_loopback(host):
            raise ConfigurationError(
                f"address {self.address!r}: other machines could reach it, and callers would be neither known nor encrypted; "
                "listen on 127.0.0.1, or leave --anonymous and VIGIE_ANONYMOUS out and make certificates with `vigie init`"
            )


def service_config(environment: Mapping[str, str]) -> ServiceConfig:
    """The settings from the environment, named by `vigie serve --help`.

    Without any the record stands in the user's data folder, this machine only is served, and callers prove who they are with
    certificates that `vigie init` made. Raises ConfigurationError.
    """
    data = user_data_path("vigie")
    anonymous = environment.get("VIGIE_ANONYMOUS", "").lower() in {"1", "true", "yes"}
    return ServiceConfig(
        database_url=environment.get("VIGIE_DATABASE_URL") or f"sqlite:///{data / 'vigie.db'}",
        evidence=evidence_from(environment, data / "evidence"),
        evidence_keys=evidence_keys(environment),
        address=environment.get("VIGIE_ADDRESS") or DEFAULT_ADDRESS,
        health_address=environment.get("VIGIE_HEALTH_ADDRESS", ""),
        drain_s=_seconds("VIGIE_DRAIN_S", environment, DRAIN_LIMITS_S),
        access=None if anonymous else _access(environment),
        limits=Limits(lease_s=_seconds("VIGIE_LEASE_S", environment, LEASE_LIMITS_S, usual_s=LEASE_S)),
        retention=retention_periods(environment.get("VIGIE_RETENTION_DAYS"), environment.get("VIGIE_DISMISSED_HOURS")),
        secrets={name.removeprefix(_SECRET): value for name, value in environment.items() if name.startswith(_SECRET)},
    )


def _seconds(setting: str, environment: Mapping[str, str], limits_s: tuple[int, int], *, usual_s: float = 0.0) -> float:
    text, (least, most) = environment.get(setting), limits_s
    if not text:
        return usual_s
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ConfigurationError(f"{setting}: {text[:64]!r} is no whole number of seconds from {least} to {most}")
    return float(text)


def _access(environment: Mapping[str, str]) -> Access:
    issuer, revoked = environment.get("VIGIE_OIDC_ISSUER"), environment.get("VIGIE_REVOKED_FILE")
    return Access(
        tls_dir=Path(environment.get("VIGIE_TLS_DIR") or identity_home(environment) / SERVER),
        token_address=environment.get("VIGIE_TOKEN_ADDRESS", ""),
        issuer=_issuer(issuer, environment) if issuer else None,
        revoked_file=Path(revoked) if revoked else None,
    )


def _issuer(url: str, environment: Mapping[str, str]) -> Issuer:
    return Issuer(
        url=url,
        audience=environment.get("VIGIE_OIDC_AUDIENCE", ""),
        keys_url=environment.get("VIGIE_OIDC_JWKS", ""),
        roles_claim=environment.get("VIGIE_OIDC_ROLES_CLAIM") or DEFAULT_ROLES_CLAIM,
    )


def checked_url(setting: str, url: str) -> str:
    """The URL of a setting, if nobody on the way can change what is read there. Raises ConfigurationError."""
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
        return url
    raise ConfigurationError(f"{setting}: {url[:200]!r} is no https URL; http is taken of this machine only")


def host_of(setting: str, address: str) -> str:
    """The host of an address HOST:PORT. Raises ConfigurationError."""
    host, _, port = address.rpartition(":")
    if not port.isdigit() or int(port) > 65535 or not host:
        raise ConfigurationError(f"{setting} {address!r}: expected HOST:PORT, such as 127.0.0.1:7430")
    return host
