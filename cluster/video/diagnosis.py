"""Why a stream cannot be opened, in words that help, and without credentials.

FFmpeg's own errors hold the URL, and for RTSP say "invalid data" for a closed port, a silent server and a wrong stream alike. So
only the kind of an error is used, and where that says too little, a connection of our own tells.
"""

import socket
from urllib.parse import urlsplit

import av

from cluster.errors import StreamError, StreamOpenError, StreamRefusedError, StreamStalledError
from cluster.video.url import StreamUrl

_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_UNREADABLE = "is no video that can be read, or is damaged at its start; check that it plays, and convert it to MP4 with H.264"


def recording_refusal(url: StreamUrl) -> StreamRefusedError | None:
    """What is wrong with a file or folder before it is opened; None where nothing is."""
    path = url.path
    try:
        size_bytes = path.stat().st_size
        if path.is_dir():
            next(path.iterdir(), None)
            return None
        if not path.is_file():
            return StreamRefusedError(url.redacted, "is neither a file nor a folder; name one")
        path.open("rb").close()
    except FileNotFoundError:
        return StreamRefusedError(url.redacted, "there is no such file or folder on the machine of this camera; check the path")
    except OSError as error:
        return StreamRefusedError(url.redacted, f"cannot be read ({error.strerror}); check its permissions")
    return None if size_bytes else StreamRefusedError(url.redacted, "is empty; record it again")


def opening_failure(error: av.FFmpegError, url: StreamUrl, *, waited_s: float, timeout_s: float) -> StreamError:
    """The error to raise for one of FFmpeg's that came `waited_s` after opening began. May take as long as the time-out."""
    if url.scheme == "file":
        return StreamRefusedError(url.redacted, _UNREADABLE)
    match error:
        case av.error.HTTPUnauthorizedError():
            return StreamRefusedError(url.redacted, _refused_credentials(url))
        case av.error.HTTPForbiddenError():
            return StreamRefusedError(url.redacted, "is forbidden to these credentials; give their account the right to view")
        case av.error.HTTPNotFoundError():
            return StreamOpenError(url.redacted, "the host serves nothing under this path; check the path")
        case av.error.HTTPError() | av.error.HTTPClientError():
            return StreamOpenError(url.redacted, f"the host answers: {error.strerror}; look at the camera or its server")
    if problem := _connection_problem(url, timeout_s):
        return StreamOpenError(url.redacted, problem)
    if waited_s >= timeout_s:
        return StreamStalledError(
            url.redacted, f"the host takes connections, but did not answer within {timeout_s:g} s; restart the camera"
        )
    return StreamOpenError(
        url.redacted, "what the host sends is no video that can be read; check the path and the camera's codec"
    )


def _refused_credentials(url: StreamUrl) -> str:
    if not url.secrets:
        return "asks for a user name and password; write ${NAME}:${NAME}@ before the host, and give the cluster these secrets"
    names = ", ".join(url.secrets)
    return f"the credentials of the secrets {names} were refused; correct them, and restart the cluster"


def _connection_problem(url: StreamUrl, timeout_s: float) -> str | None:
    parts = urlsplit(url.value)
    port = parts.port or _DEFAULT_PORTS[url.scheme]
    try:
        socket.create_connection((parts.hostname or "", port), timeout_s).close()
    except socket.gaierror:
        return f"the host {parts.hostname} has no address; check its name and the machine's DNS"
    except TimeoutError:
        return f"no connection to port {port} within {timeout_s:g} s; check the address, the network and that the camera is on"
    except ConnectionRefusedError:
        return f"nothing listens on port {port}; check the port and that the camera's server runs"
    except OSError as error:
        return f"the host cannot be reached ({error.strerror}); check the address and the network"
    return None
