"""What a destination may say."""

from collections.abc import Callable

import pytest

from services.coordination.domain.destinations import violations
from vigie.v1 import events_pb2, integration_service_pb2

Destination = integration_service_pb2.Destination


def webhook() -> Destination:
    return Destination(
        name="venues/arena/destinations/control-room",
        webhook=integration_service_pb2.Webhook(url="https://control.example/vigie", secret="CONTROL"),
    )


def topic() -> Destination:
    return Destination(
        name="venues/arena/destinations/board",
        mqtt=integration_service_pb2.MqttTopic(url="mqtts://broker.example:8883", topic="vigie/arena"),
    )


@pytest.mark.parametrize("made", [webhook, topic])
def test_what_can_be_set_up_is_accepted(made: Callable[[], Destination]) -> None:
    assert violations(made()) == []


def test_this_machine_is_reached_in_clear() -> None:
    wanted = webhook()
    wanted.webhook.url = "http://127.0.0.1:8080/hook"
    assert violations(wanted) == []


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        (lambda one: one.ClearField("webhook"), "target", "name a webhook or an MQTT topic"),
        (lambda one: setattr(one, "name", "venues/arena/destinations/../x"), "name", "is not a name of the form"),
        (lambda one: setattr(one.webhook, "url", "http://control.example/"), "webhook.url", "would go over the network in clear"),
        (lambda one: setattr(one.webhook, "url", "ftp://control.example/"), "webhook.url", "must be of the form https://"),
        (
            lambda one: setattr(one.webhook, "url", "https://me:pw@control.example/"),
            "webhook.url",
            "holds a user name, a password",
        ),
        (lambda one: setattr(one.webhook, "url", "https://control.example/?token=1"), "webhook.url", "a query"),
        (lambda one: setattr(one.webhook, "url", "https://[control/"), "webhook.url", "is no url"),
        (lambda one: setattr(one.webhook, "secret", ""), "webhook.secret", "is missing"),
        (lambda one: setattr(one.webhook, "secret", "hunter2"), "webhook.secret", "must be the name of a secret"),
        (lambda one: one.states.append(events_pb2.EVENT_STATE_NEW), "states[0]", "nobody has judged"),
        (lambda one: one.states.append(events_pb2.EVENT_STATE_MERGED), "states[0]", "must be one of"),
        (lambda one: one.kinds.extend([8, 8]), "kinds[1]", "is given twice"),
        (lambda one: one.kinds.append(9), "kinds[0]", "must be one of"),
    ],
)
def test_what_cannot_be_set_up_is_named(change: Callable[[Destination], object], field: str, problem: str) -> None:
    wanted = webhook()
    change(wanted)
    (found,) = violations(wanted)
    assert found.field == field
    assert problem in found.description
    assert "hunter2" not in found.description
    assert "pw@" not in found.description


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda one: setattr(one.mqtt, "topic", "vigie/#"), "mqtt.topic"),
        (lambda one: setattr(one.mqtt, "topic", ""), "mqtt.topic"),
        (lambda one: setattr(one.mqtt, "url", "mqtt://broker.example"), "mqtt.url"),
        (lambda one: setattr(one.mqtt, "password_secret", "secret!"), "mqtt.password_secret"),
    ],
)
def test_a_topic_is_checked_too(change: Callable[[Destination], object], field: str) -> None:
    wanted = topic()
    change(wanted)
    assert [found.field for found in violations(wanted)] == [field]
