import sqlite3
from collections import deque
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cluster.errors import OutboxFullError
from cluster.reporting.outbox import Outbox, Parcel

LIMIT_BYTES = 1000


def parcel(name: str, *, message: int = 10, picture: int = 0, revision: int = 1) -> Parcel:
    return Parcel(name, revision, b"m" * message, b"p" * picture or None)


def everything(outbox: Outbox) -> list[Parcel]:
    return [entry.parcel for entry in outbox.peek(after=0, limit=1000, limit_bytes=1 << 30)]


def test_what_was_put_is_there_after_reopening_in_order(tmp_path: Path) -> None:
    first = Outbox(tmp_path, LIMIT_BYTES)
    first.put([parcel("a", picture=5), parcel("b")])
    first.put([parcel("c")])
    first.close()
    assert everything(Outbox(tmp_path, LIMIT_BYTES)) == [parcel("a", picture=5), parcel("b"), parcel("c")]


def test_settled_entries_leave_and_are_counted_in_the_ledger(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, LIMIT_BYTES)
    outbox.put([parcel("a"), parcel("b"), parcel("c")])
    outbox.settle([1, 2], {2: "UNKNOWN_CAMERA: no such camera"})
    assert everything(outbox) == [parcel("c")]
    counts = outbox.counts()
    assert (counts.raised, counts.recorded, counts.rejected, counts.pending) == (3, 1, 1, 1)
    ledger = sqlite3.connect(outbox.path).execute("SELECT signal_id, outcome, detail, message IS NULL FROM entries").fetchall()
    assert ledger == [("a", "recorded", "", 1), ("b", "rejected", "UNKNOWN_CAMERA: no such camera", 0), ("c", "pending", "", 0)]


def test_settling_twice_counts_once(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, LIMIT_BYTES)
    outbox.put([parcel("a")])
    outbox.settle([1], {})
    outbox.settle([1], {1: "too late"})
    assert (outbox.counts().recorded, outbox.counts().rejected, outbox.counts().pending_bytes) == (1, 0, 0)


def test_oldest_pictures_go_before_any_signal(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, LIMIT_BYTES)
    outbox.put([parcel("a", picture=400), parcel("b", picture=400)])
    outbox.put([parcel("c", picture=400)])
    assert everything(outbox) == [parcel("a"), parcel("b", picture=400), parcel("c", picture=400)]
    assert outbox.counts().pictures_dropped == 1


def test_new_signal_goes_without_its_picture_where_only_it_fits(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, LIMIT_BYTES)
    outbox.put([parcel("a", picture=2000)])
    assert everything(outbox) == [parcel("a")]


def test_signal_that_does_not_fit_is_refused_and_what_waits_stays(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, LIMIT_BYTES)
    outbox.put([parcel("a", message=900, picture=50)])
    with pytest.raises(OutboxFullError, match=r"outbox\.sqlite.*1000 bytes"):
        outbox.put([parcel("b", message=200)])
    assert everything(outbox) == [parcel("a", message=900, picture=50)]
    assert outbox.counts().raised == 1


def test_full_disk_is_an_error_and_what_waits_stays(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 1 << 30)
    outbox.put([parcel("a")])
    outbox._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(OutboxFullError, match="full"):
        outbox.put([parcel("b", picture=1 << 20)])
    assert everything(outbox) == [parcel("a")]
    outbox._connection.execute("PRAGMA max_page_count = 100000")
    outbox.put([parcel("b", picture=1 << 20)])
    assert len(everything(outbox)) == 2


def test_batches_are_bounded_in_number_and_in_bytes_but_never_empty(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, LIMIT_BYTES)
    outbox.put([parcel("a", message=100), parcel("b", message=100), parcel("c", message=100)])
    assert [entry.number for entry in outbox.peek(after=0, limit=2, limit_bytes=1000)] == [1, 2]
    assert [entry.number for entry in outbox.peek(after=1, limit=9, limit_bytes=199)] == [2]
    assert [entry.number for entry in outbox.peek(after=2, limit=9, limit_bytes=1)] == [3]
    assert outbox.peek(after=3, limit=9, limit_bytes=1) == []


def test_file_that_is_no_outbox_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "outbox.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Outbox(tmp_path, LIMIT_BYTES)


class OutboxAgainstQueue(RuleBasedStateMachine):
    """However it is used, and however often it is reopened, the outbox is a queue that keeps every message it took."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.outbox = self.opened()
        self.waiting: deque[tuple[int, str]] = deque()
        self.raised = 0

    def opened(self) -> Outbox:
        return Outbox(Path(self.folder.name), LIMIT_BYTES)

    @rule(sizes=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 600)), min_size=1, max_size=4))
    def put(self, sizes: list[tuple[int, int]]) -> None:
        names = [f"s{self.raised + index}" for index in range(len(sizes))]
        try:
            self.outbox.put([parcel(name, message=m, picture=p) for name, (m, p) in zip(names, sizes, strict=True)])
        except OutboxFullError:
            assert sum(len(entry.message) for entry in everything(self.outbox)) + sum(m for m, _ in sizes) > LIMIT_BYTES
        else:
            self.raised += len(sizes)
            self.waiting.extend(zip(range(self.raised - len(sizes) + 1, self.raised + 1), names, strict=True))

    @rule(count=st.integers(0, 3), rejects=st.booleans())
    def settle(self, count: int, rejects: bool) -> None:
        numbers = [self.waiting.popleft()[0] for _ in range(min(count, len(self.waiting)))]
        self.outbox.settle(numbers, dict.fromkeys(numbers, "why") if rejects else {})

    @rule()
    def reopen(self) -> None:
        self.outbox.close()
        self.outbox = self.opened()

    @invariant()
    def keeps_what_waits_in_order_and_within_the_limit(self) -> None:
        entries = self.outbox.peek(after=0, limit=1000, limit_bytes=1 << 30)
        assert [(entry.number, entry.parcel.signal_id) for entry in entries] == list(self.waiting)
        counts = self.outbox.counts()
        assert counts.pending == len(self.waiting)
        assert counts.pending_bytes == sum(entry.parcel.size_bytes for entry in entries) <= LIMIT_BYTES
        assert counts.raised == self.raised == counts.pending + counts.recorded + counts.rejected

    def teardown(self) -> None:
        self.outbox.close()
        self.folder.cleanup()


OutboxAgainstQueue.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestOutboxAgainstQueue = OutboxAgainstQueue.TestCase
