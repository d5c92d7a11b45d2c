from pathlib import Path

from cluster.reporting.folders import claim_new_folder
from cluster.reporting.outbox import Outbox, Parcel
from cluster.reporting.outboxes import Outboxes


class FakeReporter:
    """Delivers everything when it is started or stopped with a grace."""

    def __init__(self, outbox: Outbox, *, reachable: bool = True) -> None:
        self._outbox = outbox
        self._reachable = reachable

    def start(self) -> None:
        self._deliver()

    def wake(self) -> None:
        self._deliver()

    def stop(self, grace_s: float) -> None:
        if grace_s:
            self._deliver()

    def _deliver(self) -> None:
        if self._reachable:
            self._outbox.settle([entry.number for entry in self._outbox.peek(after=0, limit=99, limit_bytes=1 << 20)], {})


def away(outbox: Outbox) -> FakeReporter:
    return FakeReporter(outbox, reachable=False)


def leave_behind(root: Path, *names: str) -> Path:
    """What a process leaves that was killed."""
    with claim_new_folder(root) as claim:
        outbox = Outbox(claim.path, 1 << 20)
        outbox.put([Parcel(name, 1, b"message") for name in names])
        outbox.close()
        return claim.path


def outboxes(root: Path, *, reachable: bool = True) -> Outboxes:
    return Outboxes(root, limit_bytes=1 << 20, reporter=FakeReporter if reachable else away)


def test_process_takes_over_what_the_one_before_left(tmp_path: Path) -> None:
    leave_behind(tmp_path, "a", "b")
    taken = outboxes(tmp_path, reachable=False)
    assert taken.counts().pending == 2
    assert taken.counts().raised == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_two_processes_have_two_folders(tmp_path: Path) -> None:
    first, second = outboxes(tmp_path, reachable=False), outboxes(tmp_path, reachable=False)
    first.put([Parcel("a", 1, b"message")])
    assert (first.counts().pending, second.counts().pending) == (1, 0)
    assert len(list(tmp_path.iterdir())) == 2


def test_other_folders_left_behind_are_delivered_and_let_go(tmp_path: Path) -> None:
    leave_behind(tmp_path)
    taken = outboxes(tmp_path)
    orphan = leave_behind(tmp_path, "a", "b")
    taken.adopt()
    assert Outbox(orphan, 1 << 20).counts().recorded == 2
    taken.adopt()
    assert outboxes(tmp_path, reachable=False).counts().pending == 0
    assert len(list(tmp_path.iterdir())) == 2


def test_adopted_folder_counts_until_it_is_delivered(tmp_path: Path) -> None:
    taken = outboxes(tmp_path, reachable=False)
    leave_behind(tmp_path, "a")
    taken.adopt()
    taken.adopt()
    assert taken.counts().pending == 1
    assert taken.stop(0) == 1


def test_folder_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    broken = leave_behind(tmp_path, "a") / "outbox.sqlite"
    broken.write_bytes(b"no database" * 1000)
    taken = outboxes(tmp_path)
    taken.adopt()
    assert broken.read_bytes().startswith(b"no database")
    assert len(list(tmp_path.iterdir())) == 2


def test_stopping_delivers_what_waits_or_says_how_much_is_left(tmp_path: Path) -> None:
    taken = outboxes(tmp_path, reachable=False)
    taken.put([Parcel("a", 1, b"message")])
    assert taken.stop(0) == 1
    assert outboxes(tmp_path).stop(1) == 0
