"""What a destination may say: `violations` finds everything in it that cannot be done."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from services.coordination.domain import checks
from services.coordination.domain.bulletins import Format
from services.coordination.domain.fields import checked, closed, known
from services.coordination.domain.lifecycle import EventState
from services.coordination.errors import Violation
from vigie.hosts import is_loopback
from vigie.names import InvalidNameError, parse_destination
from vigie.v1 import integration_service_pb2
from vigie.vocabulary import Kind

MAX_TEXT = 200
MAX_URL = 2000
MAX_TOPIC = 512
SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
# States that people have brought an event into. In the others nobody has judged it, and what nobody has judged does not go out.
JUDGED = (EventState.CONFIRMED, EventState.DISMISSED, EventState.ESCALATED, EventState.CLOSED)
USUAL = (EventState.CONFIRMED, EventState.ESCALATED)


def violations(destination: integration_service_pb2.Destination) -> list[Violation]:
    """Everything that is wrong with a destination, in the order of its fields; empty if it can be set up."""
    return list(_destination(destination))


def _destination(destination: integration_service_pb2.Destination) -> Iterator[Violation]:
    try:
        parse_destination(destination.name)
    except InvalidNameError as error:
        yield Violation("name", str(error))
    yield from checked("display_name", checks.text(destination.display_name, most=MAX_TEXT))
    match destination.WhichOneof("target"):
        case "webhook":
            yield from _webhook(destination.webhook)
        case "mqtt":
            yield from _mqtt(destination.mqtt)
        case _:
            yield Violation("target", "is missing; name a webhook or an MQTT topic")
    yield from known("format", destination.format, [0, *Format])
    yield from _states(destination)
    yield from closed("kinds", destination.kinds, list(Kind))


def _states(destination: integration_service_pb2.Destination) -> Iterator[Violation]:
    for index, state in enumerate(destination.states[: len(EventState)]):
        if int(state) in (EventState.NEW, EventState.ACKNOWLEDGED):
            yield Violation(f"states[{index}]", "is one in which nobody has judged the event; choose from confirmed on")
    yield from closed("states", [state for state in destination.states if state > EventState.ACKNOWLEDGED], JUDGED)


def _webhook(webhook: integration_service_pb2.Webhook) -> Iterator[Violation]:
    yield from checked("webhook.url", _url(webhook.url, secure="https", plain="http"))
    yield from checked("webhook.secret", _secret(webhook.secret, needed=True))


def _mqtt(topic: integration_service_pb2.MqttTopic) -> Iterator[Violation]:
    yield from checked("mqtt.url", _url(topic.url, secure="mqtts", plain="mqtt"))
    yield from checked("mqtt.topic", _topic(topic.topic))
    for field in ("user_secret", "password_secret"):
        yield from checked(f"mqtt.{field}", _secret(getattr(topic, field), needed=False))


def _topic(topic: str) -> str | None:
    if problem := checks.text(topic, least=1, most=MAX_TOPIC):
        return problem
    return "holds + or #, which only subscribers may write" if set(topic) & set("+#") else None


def _secret(name: str, *, needed: bool) -> str | None:
    if not name:
        return "is missing; name the secret, which the service gets as VIGIE_SECRET_{NAME}" if needed else None
    return None if SECRET_NAME.fullmatch(name) else "must be the name of a secret: upper-case letters, digits and `_`"


def _url(url: str, *, secure: str, plain: str) -> str | None:
    if problem := checks.text(url, least=1, most=MAX_URL):
        return problem
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no url: its host or port cannot be read"  # never repeated: it may hold a password
    if parts.scheme not in (secure, plain) or not parts.hostname:
        return f"must be of the form {secure}://HOST…"
    if parts.scheme == plain and not is_loopback(parts.hostname):
        return f"would go over the network in clear; write {secure}:// ({plain}:// reaches this machine only)"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "holds a user name, a password, a query or a fragment; give secrets to the service by their names"
    return None
