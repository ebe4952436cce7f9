"""What every door stands on: the catalogue, the time, and the publication of what was taken."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Refused
from order_ingest.domain.sandbox import is_test, told_of
from order_ingest.handlers.gathered import Gathered
from order_ingest.handlers.outlet import Outlet
from order_ingest.handlers.ports import Accepted, Clock, MasterData, Sandboxes
from restock_common import telemetry, tracing
from restock_common.contracts import Event
from restock_common.contracts.envelope import encode_body, headers_of
from restock_common.contracts.topics import SANDBOX
from restock_common.errors import Permanent, Transient
from restock_common.kafka import partition_of
from restock_common.transact import Outgoing

HTTP_SOURCE = "/restock/order-ingest/http"

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")


class Desk:
    """Tells what inputs are checked against, and publishes what was taken.

    Args:
        master_data: What inputs are checked against.
        clock: The time that counts.
        outlet: What events are published through.
        sandboxes: Tells whose orders and carts never reach the ledger.
    """

    def __init__(
        self,
        *,
        master_data: MasterData,
        clock: Clock,
        outlet: Outlet,
        sandboxes: Sandboxes = is_test,
    ) -> None:
        self.clock = clock
        self.sandboxes = sandboxes
        self._master_data = master_data
        self._outlet = outlet
        self._catch_up = Gathered(self._catch_up_for_all)

    def known(self) -> Known:
        """Return what inputs are checked against now. Raises Transient before it has been read."""
        reason = self._master_data.not_ready()
        if reason is not None:
            raise Transient(reason)
        catalogue = self._master_data.catalogue
        catalogue.advance(self.clock.come().date())
        return Known(catalogue, self.clock.now())

    def may_miss(self) -> bool:
        """Return whether master data that was told may wait in the spool."""
        return self._outlet.diverted or self._outlet.spooled.rows > 0

    async def check(self, check: Callable[[Known], object]) -> Known:
        """Return what inputs are checked against now, once a check has found nothing wrong.

        Where it only misses something in the catalogue, all that was told until now is read first.

        Raises:
            Refused: As the check does.
            Transient: The catalogue has not been read, or what is missing may still come.
        """
        known = self.known()
        try:
            check(known)
        except Refused as error:
            if not error.missing:
                raise
            await self._catch_up([None])
            known = self.known()
            check(known)
        return known

    async def attempt_all(
        self, take: Callable[[AskedT, Known], AnswerT], asked: Sequence[AskedT | Permanent]
    ) -> list[AnswerT | Permanent]:
        """Take the items of a batch, each for itself, as `check` does one.

        Raises:
            Transient: As `check` does; nothing is promised for any of them.
        """
        known = self.known()
        answers = [attempt(lambda one: take(one, known), one) for one in asked]
        if any(_misses(one) for one in answers):
            await self._catch_up([None])
            known = self.known()
            answers = [
                attempt(lambda one: take(one, known), one) if _misses(answer) else answer
                for one, answer in zip(asked, answers, strict=True)
            ]
        return answers

    async def _catch_up_for_all(self, callers: list[None]) -> list[None]:
        """Read all master data that has been told; what is spooled cannot be read."""
        if not await self._outlet.is_clear():
            raise Transient("master data may wait in the spool")
        await self._master_data.read_to_now()
        return callers

    def entry(
        self,
        event_id: str,
        event: Event,
        partition: int | None = None,
        *,
        time: datetime | None = None,
        source: str = HTTP_SOURCE,
        body: bytes | None = None,
    ) -> Outgoing:
        """Return the record of an event.

        Args:
            event_id: Its id, derived from what caused it.
            event: What happened.
            partition: Of the ledger: a shard; elsewhere the key tells.
            time: When it happened; for what has no time of its own, the time that has come.
            source: Who says it.
            body: The event as JSON, where it has been written before.
        """
        time = self.clock.come() if time is None else time
        headers = headers_of(
            event_id,
            event.type_name(),
            source,
            time.isoformat(),
            traceparent=tracing.traceparent(),
        )
        body = encode_body(event) if body is None else body
        key = None if event.key is None else event.key.encode()
        subject = told_of(event)
        topic = SANDBOX if subject is not None and self.sandboxes(subject) else event.topic
        if partition is None:
            assert key is not None, f"{event.type_name()} has neither a key nor a partition"
            partition = partition_of(topic.name, key)
        return Outgoing(topic.name, partition, key, headers, body)

    async def publish(self, entries: Sequence[Outgoing], *, keep: bool = True) -> None:
        """Return once the events are durable: Kafka has acknowledged them, or they are spooled.

        Args:
            entries: The events, in their order.
            keep: Whether they are worth spooling while Kafka is away.

        Raises:
            Transient: Nothing is promised.
        """
        if entries:
            await (self._outlet.put(entries) if keep else self._outlet.put_in_kafka(entries))

    async def accept(self, accepted: Accepted, *entries: Outgoing, counted_as: str) -> Accepted:
        """Publish an event, behind what it needs; count and return it. Raises Transient."""
        await self.publish(entries)
        counted(counted_as, [accepted])
        return accepted


def _misses(answer: object) -> bool:
    return isinstance(answer, Refused) and answer.missing


def attempt(take: Callable[[AskedT], AnswerT], asked: AskedT | Permanent) -> AnswerT | Permanent:
    """Take one item of a batch; what is refused stays so and does not touch the others."""
    if isinstance(asked, Permanent):
        return asked
    try:
        return take(asked)
    except Permanent as error:
        return error


def counted(kind: str, answers: Sequence[Accepted | Permanent]) -> Sequence[Accepted | Permanent]:
    """Count what was accepted and what was refused; return it as it is."""
    accepted = sum(isinstance(one, Accepted) for one in answers)
    telemetry.taken_in(kind, "accepted").inc(accepted)
    telemetry.taken_in(kind, "refused").inc(len(answers) - accepted)
    return answers
