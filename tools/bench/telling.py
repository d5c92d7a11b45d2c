"""Says on standard error what a long benchmark does: in one line that changes, or, where nobody looks at it, a line each time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def telling() -> Iterator[Callable[[str], None]]:
    """What says what is done from now on; what it said last it does not say again."""
    say, said = Console(stderr=True, markup=False, highlight=False), [""]

    def tell(text: str) -> None:
        if text != said[0]:
            said[0] = text
            say.print(text)

    if not say.is_terminal:
        yield tell
        return
    with say.status("") as status:
        yield status.update
