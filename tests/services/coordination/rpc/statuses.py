"""What a status that a caller gets says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2
from grpc import StatusCode, aio
from grpc_status import rpc_status


@dataclass
class Refusal:
    """A status and its details."""

    message: str = ""
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    violations: dict[str, str] = field(default_factory=dict)
    retry_s: float | None = None


@contextmanager
def refused(code: StatusCode) -> Iterator[Refusal]:
    """Expects a call to end with a code, and fills in what its status says."""
    refusal = Refusal()
    with pytest.raises(aio.AioRpcError) as caught:
        yield refusal
    error = caught.value
    assert error.code() is code, error.details()
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    assert status is not None
    refusal.message = status.message
    for detail in status.details:
        _fill(refusal, detail)


def _fill(refusal: Refusal, detail: Any) -> None:
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    if detail.Unpack(info):
        assert info.domain == "vigie"
        refusal.reason, refusal.metadata = info.reason, dict(info.metadata)
    if detail.Unpack(bad):
        refusal.violations = {violation.field: violation.description for violation in bad.field_violations}
    if detail.Unpack(retry):
        refusal.retry_s = retry.retry_delay.ToSeconds()
