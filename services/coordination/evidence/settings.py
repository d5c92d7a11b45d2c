"""Where evidence is kept, and with which keys, as a deployment says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from services.coordination.errors import ConfigurationError
from services.coordination.evidence.sealing import Keyring, read_keys
from vigie.identity import EVIDENCE_KEY, identity_home

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """A part of a bucket of an S3-compatible store.

    Attributes:
        name: of the bucket.
        prefix: what its objects' names begin with; may be empty.
        endpoint: URL of the store; None is Amazon's.
    """

    name: str
    prefix: str = ""
    endpoint: str | None = None

    def __post_init__(self) -> None:
        """Refuses to send pictures and credentials over a network unencrypted."""
        if self.endpoint and urlsplit(self.endpoint).scheme != "https" and not self.is_local:
            problem = "must begin with https://, or name this machine"
            raise ConfigurationError(f"evidence bucket {self}: its endpoint {self.endpoint} {problem}")

    @property
    def is_local(self) -> bool:
        """Whether the store is on this machine, where nobody listens in."""
        return urlsplit(self.endpoint or "").hostname in _LOCAL_HOSTS

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


EvidencePlace = Path | BucketAddress


def evidence_place(written: str, environment: Mapping[str, str]) -> EvidencePlace:
    """What `FOLDER` or `s3://BUCKET/PREFIX` names, the store's endpoint from AWS_ENDPOINT_URL. Raises ConfigurationError."""
    scheme, separator, rest = written.partition("://")
    if not separator:
        return Path(written)
    name, _, prefix = rest.partition("/")
    if scheme != "s3" or not name:
        raise ConfigurationError(f"evidence {written!r}: expected a folder, or s3://BUCKET/PREFIX")
    endpoint = next((found for variable in _ENDPOINTS if (found := environment.get(variable))), None)
    return BucketAddress(name, prefix.strip("/"), endpoint)


def evidence_from(environment: Mapping[str, str], usual: Path) -> EvidencePlace:
    """The place that VIGIE_EVIDENCE names, or VIGIE_EVIDENCE_DIR as it was called before, else the usual one.

    Raises ConfigurationError.
    """
    named = environment.get("VIGIE_EVIDENCE") or environment.get("VIGIE_EVIDENCE_DIR")
    return evidence_place(named, environment) if named else usual


def evidence_keys(environment: Mapping[str, str]) -> Keyring | None:
    """The keys from VIGIE_EVIDENCE_KEY, else the file VIGIE_EVIDENCE_KEY_FILE, else what `vigie init` made; None without any.

    Raises ConfigurationError.
    """
    if written := environment.get("VIGIE_EVIDENCE_KEY"):
        return read_keys(written, "VIGIE_EVIDENCE_KEY")
    if named := environment.get("VIGIE_EVIDENCE_KEY_FILE"):
        return read_key_file(Path(named))
    usual = identity_home(environment) / EVIDENCE_KEY
    return read_key_file(usual) if usual.exists() else None


def read_key_file(path: Path) -> Keyring:
    """The keys in a file. Raises ConfigurationError."""
    try:
        return read_keys(path.read_text(encoding="ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "is no text"
        raise ConfigurationError(f"evidence key {path}: {cause}; name another file in VIGIE_EVIDENCE_KEY_FILE") from error
