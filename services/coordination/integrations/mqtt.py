"""Documents to an MQTT broker."""

import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiomqtt

from services.coordination.integrations.errors import UndeliverableError

TIMEOUT_S = 10.0
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Login:
    """How the broker knows us; None for nothing."""

    user: str | None
    password: str | None


async def publish(url: str, topic: str, content: bytes, login: Login) -> None:
    """Publishes a document once, and waits until the broker has it (QoS 1). Raises UndeliverableError."""
    parts = urlsplit(url)
    client = aiomqtt.Client(
        parts.hostname or "",
        parts.port or _PORTS[parts.scheme],
        username=login.user,
        password=login.password,
        timeout=TIMEOUT_S,
        tls_context=ssl.create_default_context() if parts.scheme == "mqtts" else None,
    )
    try:
        async with client:
            await client.publish(topic, content, qos=1, timeout=TIMEOUT_S)
    except (aiomqtt.MqttError, OSError) as error:
        raise UndeliverableError(f"{type(error).__name__}: {error}"[:200]) from error
