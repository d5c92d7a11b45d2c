"""Documents by HTTP POST, signed as Standard Webhooks 1.0 says, so that receivers can use a library they know."""

import base64
import hashlib
import hmac
from datetime import datetime
from uuid import UUID

import httpx

from services.coordination.errors import ConfigurationError
from services.coordination.integrations.errors import UndeliverableError

TIMEOUT_S = 10.0


def signature(secret: str, delivery_id: UUID, sent: datetime, content: bytes) -> str:
    """HMAC-SHA256 over id, time and content: whoever has the secret can tell who wrote it, and that it is not an old one."""
    signed = f"{delivery_id}.{int(sent.timestamp())}.".encode() + content
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def _key(secret: str) -> bytes:
    """Secrets of the standard are written `whsec_` and base64; any other text is its own key."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise ConfigurationError("the secret begins with whsec_, but what follows is not base64") from error


async def post(url: str, *, secret: str, delivery_id: UUID, sent: datetime, content: bytes, content_type: str) -> None:
    """Sends a document once. Raises UndeliverableError, which says whether there is any use in trying again."""
    headers = {
        "content-type": content_type,
        "user-agent": "vigie",
        "webhook-id": str(delivery_id),
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": signature(secret, delivery_id, sent, content),
    }
    try:
        # A redirect would lead where no administrator sent it; a proxy of the environment too.
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=content, headers=headers) as response,
        ):
            status = response.status_code  # what else it says is not read: nobody knows how much that is
    except httpx.HTTPError as error:
        raise UndeliverableError(f"{type(error).__name__}: {error}"[:200]) from error
    if not 200 <= status < 300:
        raise UndeliverableError(f"answered {status}", lasting=status == 410)
