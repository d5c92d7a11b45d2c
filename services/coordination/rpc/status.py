"""The one place where errors become gRPC statuses."""

from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import StatusCode

from services.coordination.errors import (
    AccessDeniedError,
    ConfigurationError,
    ConflictError,
    CoordinationError,
    CursorError,
    EventChangedError,
    EvidenceDamagedError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    RequestReusedError,
    ReviewRefusedError,
    UnauthenticatedError,
    UnavailableError,
)

DOMAIN = "vigie"
RETRY_S = 1
# Trailers are bounded to 8 KiB on their way; what does not fit is counted in the message.
_MAX_DETAIL_BYTES = 4000

_CODES: dict[type[CoordinationError], StatusCode] = {
    ConfigurationError: StatusCode.FAILED_PRECONDITION,
    UnauthenticatedError: StatusCode.UNAUTHENTICATED,
    AccessDeniedError: StatusCode.PERMISSION_DENIED,
    InvalidRequestError: StatusCode.INVALID_ARGUMENT,
    NotFoundError: StatusCode.NOT_FOUND,
    EventChangedError: StatusCode.ABORTED,
    ReviewRefusedError: StatusCode.FAILED_PRECONDITION,
    RequestReusedError: StatusCode.ALREADY_EXISTS,
    ConflictError: StatusCode.FAILED_PRECONDITION,
    CursorError: StatusCode.OUT_OF_RANGE,
    EvidenceDamagedError: StatusCode.DATA_LOSS,
    OverloadedError: StatusCode.RESOURCE_EXHAUSTED,
    UnavailableError: StatusCode.UNAVAILABLE,
}


def code_of(error: CoordinationError) -> StatusCode:
    """The gRPC code that says the same."""
    return _CODES[type(error)]


def status_of(error: CoordinationError) -> status_pb2.Status:
    """An error as the status that a caller gets, with its reason and what belongs to it."""
    details: list[Message] = [error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)]
    if isinstance(error, InvalidRequestError):
        details.append(_bad_request(error))
    if isinstance(error, UnavailableError | OverloadedError):
        details.append(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=RETRY_S)))
    return status_pb2.Status(
        code=code_of(error).value[0], message=error.message[:1000], details=[_packed(each) for each in details]
    )


def internal() -> status_pb2.Status:
    """What a caller gets when the service itself is at fault; what happened stands in the service's log only."""
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN)
    message = "the service failed at this request; its log says why"
    return status_pb2.Status(code=StatusCode.INTERNAL.value[0], message=message, details=[_packed(info)])


def _bad_request(error: InvalidRequestError) -> error_details_pb2.BadRequest:
    request = error_details_pb2.BadRequest()
    for violation in error.violations:
        request.field_violations.add(field=violation.field, description=violation.description)
        if request.ByteSize() > _MAX_DETAIL_BYTES:
            del request.field_violations[-1]
            break
    return request


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed
