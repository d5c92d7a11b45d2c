from tools.bench.coordination.recording import GROUP_ROWS, groups_of
from tools.bench.coordination.vitals import percentile


def test_rows_are_inserted_after_those_that_they_refer_to_and_none_is_left_out() -> None:
    rows = {
        "events": [{"event_id": event} for event in range(300)],
        "signals": [{"signal_id": signal, "event_id": signal % 300} for signal in range(3000)],
        "signal_revisions": [{"signal_id": signal, "revision": 1} for signal in range(3000)],
        "event_changes": [{"sequence": number} for number in range(1000)],
    }
    groups = list(groups_of(rows))
    assert len(groups) == -(-3000 // GROUP_ROWS)
    for name, held in rows.items():
        inserted = [tuple(row.items()) for group in groups for row in group[name]]
        assert sorted(inserted) == sorted(tuple(row.items()) for row in held)
    for group in groups:
        assert {signal["event_id"] for signal in group["signals"]} <= {event["event_id"] for event in group["events"]}


def test_a_percentile_is_the_value_below_which_a_share_lies() -> None:
    assert [percentile([3.0, 1.0, 2.0, 4.0], share) for share in (0.0, 0.5, 0.99)] == [1.0, 3.0, 4.0]
    assert percentile([], 0.5) == 0.0
