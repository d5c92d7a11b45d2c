"""Each way in which a signal is malformed, and what the rejection tells."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.coordination.domain.admission import MAX_EVIDENCE_BYTES, RejectionReason, malformed
from tests.services.coordination.builders import ago, evidence, milliseconds, picture, signal, timestamp, utc_now
from vigie.v1 import signals_pb2
from vigie.vocabulary import Kind

Change = Callable[[signals_pb2.Signal], object]
INVALID, FUTURE, EVIDENCE = RejectionReason.INVALID, RejectionReason.FUTURE_TIME, RejectionReason.BAD_EVIDENCE


def _evidence(jpeg: bytes, **changes: object) -> Change:
    def change(message: signals_pb2.Signal) -> None:
        message.evidence.CopyFrom(evidence(jpeg))
        for field, value in changes.items():
            setattr(message.evidence, field, value)

    return change


BAD: dict[str, tuple[Change, RejectionReason, str]] = {
    "no id": (lambda m: m.ClearField("signal_id"), INVALID, "signal_id"),
    "id of another version": (lambda m: setattr(m, "signal_id", "9f8b1f0e-8d7c-4c5e-9d3a-0123456789ab"), INVALID, "version 7"),
    "no revision": (lambda m: m.ClearField("revision"), INVALID, "revision"),
    "endless revisions": (lambda m: setattr(m, "revision", 2**31), INVALID, "revision"),
    "no camera": (lambda m: m.ClearField("camera"), INVALID, "camera"),
    "no incarnation": (lambda m: m.ClearField("incarnation"), INVALID, "incarnation"),
    "incarnation to come": (lambda m: setattr(m, "incarnation", milliseconds(ago(days=-1))), FUTURE, "incarnation"),
    "no kind": (lambda m: m.ClearField("kind"), INVALID, "eight kinds"),
    "a ninth kind": (lambda m: setattr(m, "kind", 9), INVALID, "eight kinds"),
    "zone of a bad id": (lambda m: setattr(m, "zone", "Die Wiese"), INVALID, "zone"),
    "no severity": (lambda m: m.ClearField("severity"), INVALID, "severity"),
    "score above one": (lambda m: setattr(m, "score", 1.1), INVALID, "between 0 and 1"),
    "score of no number": (lambda m: setattr(m, "score", float("nan")), INVALID, "score"),
    "endless reason": (lambda m: setattr(m, "reason", "x" * 501), INVALID, "reason"),
    "reason with a null": (lambda m: setattr(m, "reason", "a\0b"), INVALID, "control characters"),
    "no open time": (lambda m: m.ClearField("open_time"), INVALID, "open_time"),
    "no raise time": (lambda m: m.ClearField("raise_time"), INVALID, "raise_time"),
    "time of no year": (lambda m: setattr(m.update_time, "seconds", 10**15), INVALID, "update_time"),
    "update before opening": (lambda m: m.update_time.CopyFrom(timestamp(ago(days=1))), INVALID, "before open_time"),
    "close before opening": (lambda m: m.close_time.CopyFrom(timestamp(ago(days=1))), INVALID, "before open_time"),
    "raised in the future": (lambda m: m.raise_time.CopyFrom(timestamp(ago(seconds=-90))), FUTURE, "raise_time"),
    "seen in the future": (lambda m: m.update_time.CopyFrom(timestamp(ago(seconds=-90))), FUTURE, "update_time"),
    "box without end": (lambda m: setattr(m.box, "x1", float("inf")), INVALID, "box"),
    "box inside out": (lambda m: setattr(m.box, "x1", 0), INVALID, "ends before it begins"),
    "ground of no number": (lambda m: setattr(m.ground_point, "x_m", float("nan")), INVALID, "ground_point"),
    "oversized evidence": (_evidence(picture(MAX_EVIDENCE_BYTES + 1)), EVIDENCE, "at most 1048576"),
    "evidence that is no JPEG": (_evidence(b"\x89PNG" + bytes(99)), EVIDENCE, "no JPEG"),
    "evidence without a picture": (lambda m: setattr(m.evidence, "sha256", "0" * 64), EVIDENCE, "no JPEG"),
    "evidence of another size": (_evidence(picture(), size_bytes=7), EVIDENCE, "size_bytes"),
    "evidence without a hash": (_evidence(picture(), sha256=""), EVIDENCE, "sha256"),
    "evidence of another hash": (_evidence(picture(), sha256="0" * 64), EVIDENCE, "not the one"),
    "hash that is a path": (_evidence(picture(), sha256="../../" + "0" * 58), EVIDENCE, "hexadecimal"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_malformed_signal_is_rejected_with_what_is_wrong(case: str) -> None:
    change, reason, words = BAD[case]
    message = signal()
    change(message)
    rejection = malformed(message, utc_now())
    assert rejection is not None
    assert (rejection.reason, words in rejection.message) == (reason, True), rejection


def test_a_whole_signal_is_well_formed() -> None:
    assert malformed(signal(closed=utc_now(), jpeg=picture(MAX_EVIDENCE_BYTES)), utc_now()) is None


@pytest.mark.parametrize("kind", Kind)
def test_each_of_the_eight_kinds_is_well_formed(kind: Kind) -> None:
    message = signal()
    message.kind = int(kind)  # type: ignore[assignment]
    assert malformed(message, utc_now()) is None


def test_a_clock_may_be_a_minute_ahead() -> None:
    message = signal()
    now = utc_now()
    message.raise_time.CopyFrom(timestamp(now + timedelta(seconds=60)))
    assert malformed(message, now) is None


@given(st.binary(max_size=300))
def test_no_message_is_too_odd_to_be_judged(noise: bytes) -> None:
    message = signal()
    try:
        message.MergeFromString(noise)
    except Exception:  # noqa: BLE001 - noise that is no message
        return
    malformed(message, utc_now())
