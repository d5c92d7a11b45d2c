"""Takes deliveries to their destinations: each at least once, at longer and longer intervals, until it is given up."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from services.coordination.domain.bulletins import Format
from services.coordination.errors import ConfigurationError
from services.coordination.integrations import mqtt, webhook
from services.coordination.integrations.documents import CONTENT_TYPES
from services.coordination.integrations.errors import UndeliverableError
from services.coordination.store.database import Database
from services.coordination.store.repositories.destinations import Delivery, DeliveryState
from services.coordination.waiting import follow
from vigie.v1 import integration_service_pb2

AT_ONCE = 16
# Longer than an attempt can take: a replica that died in one leaves it to the others then.
CLAIM = timedelta(seconds=60)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
# With these pauses, about a day.
MAX_ATTEMPTS = 32
MAX_PROBLEM = 500

_log = structlog.get_logger(__name__)


def pause(attempts: int, draw: float) -> timedelta:
    """How long to wait after some attempts that failed: twice as long each time, up to an hour, less a random part of a half."""
    longest: timedelta = min(FIRST_PAUSE * 2 ** min(attempts - 1, 16), LONGEST_PAUSE)
    return longest * (1 - draw / 2)


class Courier:
    """Delivers what is due, from any replica.

    Args:
        database: where deliveries wait.
        secrets: those that destinations name, by their names.
        now: the time.
        jitter: a number from 0 to 1 that spreads attempts.
    """

    def __init__(
        self, database: Database, secrets: Mapping[str, str], *, now: Callable[[], datetime], jitter: Callable[[], float]
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._now = now
        self._jitter = jitter
        self._wake = asyncio.Event()

    def notify(self) -> None:
        """Looks for what is due now, since this process put something on its way."""
        self._wake.set()

    async def run(self, poll_s: float) -> None:
        """Delivers until cancelled."""
        await follow(self.step, self._wake, every_s=poll_s, without_record="deliveries wait for the database")

    async def step(self) -> int:
        """Tries what is due once; how many that were. Raises UnavailableError."""
        now = self._now()
        async with self._database.read() as work:
            if not await work.destinations.is_any_due(now):
                return 0
        async with self._database.write() as work:
            due = await work.destinations.claim(now, now + CLAIM, AT_ONCE)
            targets = {(one.venue, one.destination): await work.destinations.get(one.venue, one.destination) for one in due}
            await work.commit()
        ended = await asyncio.gather(*(self._attempt(one, targets[one.venue, one.destination]) for one in due))
        if ended:
            async with self._database.write() as work:
                for delivery in ended:
                    await work.destinations.settle(delivery)
                await work.commit()
        return len(ended)

    async def _attempt(self, delivery: Delivery, destination: integration_service_pb2.Destination | None) -> Delivery:
        tried = replace(delivery, attempts=delivery.attempts + 1)
        try:
            await self._send(delivery, destination)
        except (UndeliverableError, ConfigurationError) as error:
            return self._failed(tried, str(error), lasting=isinstance(error, UndeliverableError) and error.lasting)
        except Exception as error:  # noqa: BLE001 - the edge of one attempt: the others must go on
            _log.exception("delivery failed", delivery=str(delivery.delivery_id))
            return self._failed(tried, type(error).__name__, lasting=False)
        _log.info("delivered", destination=delivery.destination, venue=delivery.venue, delivery=str(delivery.delivery_id))
        return replace(tried, state=DeliveryState.DELIVERED, problem="", end_time=self._now())

    def _failed(self, tried: Delivery, problem: str, *, lasting: bool) -> Delivery:
        _log.warning("not delivered", destination=tried.destination, venue=tried.venue, attempt=tried.attempts, problem=problem)
        now = self._now()
        if lasting or tried.attempts >= MAX_ATTEMPTS:
            return replace(tried, state=DeliveryState.DEAD, problem=problem[:MAX_PROBLEM], end_time=now)
        return replace(tried, problem=problem[:MAX_PROBLEM], next_attempt_time=now + pause(tried.attempts, self._jitter()))

    async def _send(self, delivery: Delivery, destination: integration_service_pb2.Destination | None) -> None:
        if destination is None:
            raise UndeliverableError("the destination was deleted", lasting=True)
        if destination.WhichOneof("target") == "webhook":
            await webhook.post(
                destination.webhook.url,
                secret=self._secret(destination.webhook.secret),
                delivery_id=delivery.delivery_id,
                sent=self._now(),
                content=delivery.content,
                content_type=CONTENT_TYPES[Format(destination.format or Format.CLOUD_EVENTS)],
            )
            return
        topic = destination.mqtt
        login = mqtt.Login(
            user=self._secret(topic.user_secret) if topic.user_secret else None,
            password=self._secret(topic.password_secret) if topic.password_secret else None,
        )
        await mqtt.publish(topic.url, topic.topic, delivery.content, login)

    def _secret(self, name: str) -> str:
        try:
            return self._secrets[name]
        except KeyError as error:
            raise ConfigurationError(
                f"the secret {name} is not known here; give it to the service as VIGIE_SECRET_{name}"
            ) from error
