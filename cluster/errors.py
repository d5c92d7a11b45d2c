"""What can go wrong in a cluster.

    ClusterError
    ├── ConfigurationError       a setting, an assignment or a file says something that cannot be done
    ├── StreamError              a camera's pictures do not come
    │   ├── StreamOpenError      it could not be opened
    │   │   └── StreamRefusedError   nor can it be before someone changes something
    │   ├── StreamEndedError     a live stream came to an end, which is a fault
    │   └── StreamStalledError   no frame came for too long
    ├── ModelError               a model pack cannot be used
    ├── CalibrationError         the people in a picture do not say how the camera looks at the ground
    └── OutboxFullError          a signal could not be kept until it is delivered

Messages say what is wrong, where, and what to do, and never hold credentials.
"""


class ClusterError(Exception):
    """Anything that Vigie's cluster raises on purpose."""


class ConfigurationError(ClusterError):
    """A setting, an assignment or a file says something that cannot be done."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


class StreamError(ClusterError):
    """A camera's pictures do not come. `url` is the redacted one."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"{url}: {problem}")
        self.url = url
        self.problem = problem


class StreamOpenError(StreamError):
    """A stream could not be opened."""


class StreamRefusedError(StreamOpenError):
    """A stream cannot be used as it is configured: trying again changes nothing before someone changes something."""


class StreamEndedError(StreamError):
    """A live stream came to an end."""


class StreamStalledError(StreamError):
    """A stream is there, but no frame came for too long."""


class ModelError(ClusterError):
    """A model pack cannot be used."""

    def __init__(self, pack: str, problem: str) -> None:
        super().__init__(f"model pack {pack}: {problem}")
        self.pack = pack
        self.problem = problem


class CalibrationError(ClusterError):
    """The people in a picture do not say how the camera looks at the ground."""


class OutboxFullError(ClusterError):
    """A signal could not be kept until it is delivered."""
