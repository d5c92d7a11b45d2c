from datetime import UTC, datetime
from itertools import chain
from uuid import UUID

from services.coordination.domain.admission import malformed
from tools.rehearsal.signals import SPAN, Script

END = datetime(2026, 6, 1, 12, tzinfo=UTC)


def script(seed: int = 1, venue: int = 0) -> Script:
    return Script(seed, venue, 8, 300, END)


def test_the_same_seed_gives_the_same_signals() -> None:
    assert list(script().batches()) == list(script().batches())
    assert list(script().batches()) != list(script(seed=2).batches())
    assert list(script().batches()) != list(script(venue=1).batches())


def test_every_signal_is_one_that_the_service_takes() -> None:
    sent = script().sendings()
    assert not [problem for revision in sent if (problem := malformed(revision, END))]
    assert len({revision.signal_id for revision in sent}) == 300
    assert all(END - SPAN <= revision.open_time.ToDatetime(UTC) <= END for revision in sent)
    assert {UUID(revision.signal_id).version for revision in sent} == {7}


def test_some_revisions_come_twice_and_some_after_later_ones() -> None:
    sent = script().sendings()
    keys = [(revision.signal_id, revision.revision) for revision in sent]
    assert len(set(keys)) < len(keys)
    raised = [revision.raise_time.ToNanoseconds() for revision in sent]
    assert raised != sorted(raised)
    assert list(chain.from_iterable(script().batches())) == sent
