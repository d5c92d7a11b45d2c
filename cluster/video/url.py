"""Addresses of streams: secrets are filled in for the decoder and hidden from everyone else."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from cluster.errors import ConfigurationError

SCHEMES = ("rtsp", "rtsps", "http", "https", "file")
DEFAULT_PICTURE_RATE_HZ = 25.0
MAXIMUM_PICTURE_RATE_HZ = 1000.0
MAXIMUM_LENGTH = 2048

_HIDDEN = "***"
_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]*")
_USERINFO = re.compile(r"://.*@")
_PARAMETER = re.compile(r"([?&;][^=&;#]*=)[^&;#]*")
_CREDENTIAL_PARAMETERS = frozenset(
    ("auth", "key", "login", "pass", "passwd", "password", "pwd", "secret", "token", "user", "username", "usr")
)


@dataclass(frozen=True, slots=True)
class StreamUrl:
    """Where a stream is.

    Attributes:
        value: with its secrets, for the decoder alone.
        redacted: for people: no user name, password or parameter, secrets by their names.
        secrets: names of the secrets that stand in it.
    """

    value: str = field(repr=False)
    redacted: str
    secrets: tuple[str, ...] = ()

    @property
    def scheme(self) -> str:
        """One of SCHEMES."""
        return urlsplit(self.value).scheme

    @property
    def host(self) -> str:
        """The host that serves it; empty for a file."""
        return urlsplit(self.value).hostname or ""

    @property
    def path(self) -> Path:
        """The file or folder of a `file:` URL."""
        return Path(unquote(urlsplit(self.value).path))

    @property
    def picture_rate_hz(self) -> float:
        """How many pictures of a folder make a second: the parameter `rate_hz`, or DEFAULT_PICTURE_RATE_HZ."""
        values = parse_qs(urlsplit(self.value).query).get("rate_hz")
        return float(values[-1]) if values else DEFAULT_PICTURE_RATE_HZ

    def hidden_in(self, text: str) -> str:
        """The text without this URL's secrets, nor those of any other URL."""
        return redact(text.replace(self.value, self.redacted))


def resolve(template: str, secret: Callable[[str], str | None]) -> StreamUrl:
    """Fills the secrets of a template in, percent-encoded. `secret` gives a secret by its name, None where there is none.

    Raises ConfigurationError for what is no URL of a stream, for a user name or password in clear, and for a secret that is
    not set.
    """
    _check(template)
    names = tuple(dict.fromkeys(_SECRET.findall(template)))
    values = {name: secret(name) for name in names}
    for name, value in values.items():
        if not value:
            raise _error(
                template,
                f"the secret {name} is not set; set VIGIE_SECRET_{name}, or put it into the file {name} of VIGIE_SECRETS_DIR",
            )
    filled = _SECRET.sub(lambda match: quote(values[match[1]] or "", safe=""), template)
    return StreamUrl(filled, redact(template), names)


def redact(text: str) -> str:
    """The text with the user names, passwords and parameters of all its URLs hidden."""
    return _URL.sub(lambda url: _PARAMETER.sub(rf"\1{_HIDDEN}", _USERINFO.sub(f"://{_HIDDEN}@", url[0])), text)


def _check(template: str) -> None:
    plain = _SECRET.sub("", template)
    if len(template) > MAXIMUM_LENGTH or not template.isprintable():
        raise _error(
            template[:MAXIMUM_LENGTH], f"is longer than {MAXIMUM_LENGTH} characters or holds control characters; correct it"
        )
    if "$" in plain:
        raise _error(
            template, "holds a `$` that begins no secret; write ${NAME}, with letters, digits and `_` (a `$` itself is %24)"
        )
    try:
        parts = urlsplit(template)
        is_addressed = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise _error(template, "has no valid host and port; encode special characters, such as %2F for `/`") from None
    if parts.scheme not in SCHEMES:
        raise _error(template, f"is of no known kind; it must begin with one of {', '.join(SCHEMES)}, followed by `:`")
    if parts.scheme == "file":
        _check_file(template, parts)
    elif not is_addressed:
        raise _error(template, f"names no host; write {parts.scheme}://HOST/PATH")
    else:
        _check_credentials(template, parts)


def _check_file(template: str, parts: SplitResult) -> None:
    if parts.netloc or not parts.path:
        raise _error(template, "names no file; write file:PATH or file:///PATH")
    parameters = parse_qs(parts.query, keep_blank_values=True)
    if unknown := set(parameters) - {"rate_hz"}:
        raise _error(template, f"has the unknown parameter {min(unknown)}; the only one is rate_hz (a `?` in a name is %3F)")
    for text in parameters.get("rate_hz", ()):
        if not re.fullmatch(r"\d+(\.\d+)?", text) or not 0 < float(text) <= MAXIMUM_PICTURE_RATE_HZ:
            raise _error(template, f"rate_hz must be a number above 0 and at most {MAXIMUM_PICTURE_RATE_HZ:g}")


def _check_credentials(template: str, parts: SplitResult) -> None:
    userinfo = parts.netloc.rpartition("@")[0]
    in_clear = [_SECRET.sub("", userinfo).replace(":", "")]
    for name, values in parse_qs(parts.query).items():
        if name.lower() in _CREDENTIAL_PARAMETERS:
            in_clear += [_SECRET.sub("", value) for value in values]
    if any(in_clear):
        raise _error(
            template, "holds a user name or password in clear; write ${NAME} in its place, and give the cluster the secret NAME"
        )


def _error(template: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"stream URL {redact(template)}", problem)
