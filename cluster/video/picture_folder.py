"""A folder of pictures, played as a recording."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from av.video.frame import VideoFrame

from cluster.errors import StreamError, StreamRefusedError
from cluster.video.container import Container, Patience
from cluster.video.presentation import TimeIfWanted, Turn
from cluster.video.url import StreamUrl

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


class PictureFolder:
    """The pictures of a folder in order of their names, at an even rate. Those that cannot be decoded are left out."""

    is_live = False
    comes_in_bursts = False

    def __init__(self, url: StreamUrl, patience: Patience) -> None:
        """Raises StreamRefusedError where there is no picture."""
        self._url = url
        self._patience = patience
        self._paths = sorted(path for path in url.path.iterdir() if path.suffix.lower() in SUFFIXES)
        self.period_s = 1 / url.picture_rate_hz
        self.corrupt = 0
        if not self._paths:
            raise StreamRefusedError(
                url.redacted, f"the folder holds no picture; put files there that end in {', '.join(SUFFIXES)}"
            )

    def pictures(self, time_if_wanted: TimeIfWanted) -> Generator[tuple[VideoFrame, float]]:
        """The pictures that are wanted, with their capture times. Raises StreamRefusedError where none can be decoded."""
        for index, path in enumerate(self._paths):
            if self._patience.is_interrupted():
                return
            try:
                picture = self._decoded(path)
            except StreamError as error:
                self.corrupt += 1
                if self.corrupt == len(self._paths):
                    problem = f"none of its {self.corrupt} pictures can be used; the last, {path.name}: {error.problem}"
                    raise StreamRefusedError(self._url.redacted, problem) from None
            else:
                if (time_s := time_if_wanted(Turn(index, index * self.period_s))) is not None:
                    yield picture, time_s

    def close(self) -> None:
        """Nothing is open between two pictures."""

    def _decoded(self, path: Path) -> VideoFrame:
        with (
            closing(Container(self._url, f"file:{path}", self._patience)) as container,
            closing(container.pictures(lambda _: 0.0)) as pictures,
        ):
            return next(pictures)[0]
