"""Drivers report on shipments: 202 once it is committed, the same again changes nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from dispatcher.domain.delivery import Failure, NotTaken, refusal, repeats
from dispatcher.domain.model import Shipment
from dispatcher.domain.route import Route
from dispatcher.handlers import DeliveryReported, FailureReported
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.topics import FULFILMENT
from restock_common.kafka import partition_of
from restock_common.runtime.admin import admins_only
from restock_common.runtime.problems import Problem, describe
from restock_common.transact import Outcome, Partition
from restock_common.units import Identifier, Text, Timestamp

MAX_ITEMS = 1000


class Body(BaseModel):
    """What a request may carry, and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Delivered(Body):
    """When the customer had it."""

    delivered_at: Timestamp


class DeliveredItem(Delivered):
    """One confirmation of a batch."""

    allocation: Identifier


class DeliveredBatch(Body):
    """Confirmations, each of them judged by itself."""

    items: Annotated[tuple[DeliveredItem, ...], Field(min_length=1, max_length=MAX_ITEMS)]


class Failed(Body):
    """When and why the customer does not have it."""

    failed_at: Timestamp
    reason: Failure
    note: Text = ""


class FailedItem(Failed):
    """One failure, with what it is about."""

    allocation: Identifier


class Shipments(Protocol):
    """What is known; the implementation is `store.PostgresDispatches`."""

    async def shipments(self, allocations: Sequence[str]) -> dict[str, Shipment]:
        """Return the shipments that are known, by allocation."""

    async def routes_by_id(self, routes: Sequence[str]) -> dict[str, Route]:
        """Return routes by their ids."""

    async def marks(self, locations: Sequence[str]) -> dict[str, dict[str, datetime]]:
        """Return the time that each writer has told, for each of these warehouses."""


class Deciding(Protocol):
    """What decides; the implementation is `runtime.Stream`."""

    async def act(self, partition: Partition, messages: Sequence[Message[Event]]) -> Outcome:
        """Decide messages that come from within."""


class Deliveries:
    """Takes reports: looks them up, has them decided, and answers one by one.

    Args:
        stream: Decides them on the partition of their warehouse.
        known: The shipments.
    """

    def __init__(self, stream: Deciding, known: Shipments) -> None:
        self._stream = stream
        self._known = known

    async def report(self, items: Sequence[DeliveredItem | FailedItem]) -> list[NotTaken | None]:
        """Take reports; return, in their order, None or why one was not taken.

        Raises:
            Transient: They may or may not be committed: send the same again.
        """
        known = await self._known.shipments([item.allocation for item in items])
        routes = await self._known.routes_by_id([one.route for one in known.values() if one.route])
        marks = await self._known.marks([one.location for one in known.values()])
        answers: list[NotTaken | None] = []
        taken: dict[int, dict[str, Message[Event]]] = {}
        for item in items:
            shipment = known.get(item.allocation)
            route = routes.get(shipment.route or "") if shipment is not None else None
            mark = marks[route.location].get(route.source) if route is not None else None
            at, field = _when(item)
            answer = refusal(item.allocation, shipment, route, at, mark, field=field)
            answers.append(answer)
            if shipment is None or repeats(shipment, at, field):
                continue  # what was taken before is not decided again, perhaps by another process
            if answer is None:
                number = partition_of(FULFILMENT.name, shipment.location.encode())
                report = _message(item, shipment)
                taken.setdefault(number, {}).setdefault(item.allocation, report)
        for number, messages in sorted(taken.items()):
            await self._stream.act(Partition(FULFILMENT.name, number), list(messages.values()))
        return answers


def router(door: Deliveries, admin_key: SecretStr | None) -> APIRouter:
    """Return the routes on which drivers and carriers tell what became of shipments."""
    guard = Depends(admins_only(admin_key, "reports of drivers"))
    routes = APIRouter(tags=["deliveries"], dependencies=[guard])

    @routes.post("/shipments/{allocation}/delivered", status_code=HTTPStatus.ACCEPTED)
    async def delivered(allocation: Identifier, body: Delivered) -> dict[str, str]:
        """Confirm one delivery."""
        item = DeliveredItem(allocation=allocation, delivered_at=body.delivered_at)
        return await one(item)

    @routes.post("/shipments/{allocation}/failed", status_code=HTTPStatus.ACCEPTED)
    async def failed(allocation: Identifier, body: Failed) -> dict[str, str]:
        """Tell that one could not be delivered: it is tried again, or brought back for good."""
        told = body.model_dump()
        return await one(FailedItem(allocation=allocation, **told))

    @routes.post("/shipments:delivered", status_code=HTTPStatus.ACCEPTED)
    async def delivered_batch(body: DeliveredBatch) -> JSONResponse:
        """Confirm up to 1,000: 202 where all were taken, else 207; each with its own status."""
        answers = await door.report(body.items)
        items = [_answer(item, answer) for item, answer in zip(body.items, answers, strict=True)]
        mixed = any(answer is not None for answer in answers)
        status = HTTPStatus.MULTI_STATUS if mixed else HTTPStatus.ACCEPTED
        return JSONResponse({"items": items}, status)

    async def one(item: DeliveredItem | FailedItem) -> dict[str, str]:
        [answer] = await door.report([item])
        if answer is not None:
            raise Problem(answer.status, answer.reason)
        return {"allocation": item.allocation}

    return routes


def _when(item: DeliveredItem | FailedItem) -> tuple[datetime, str]:
    """Return the time of a report, and what it is called there."""
    if isinstance(item, FailedItem):
        return item.failed_at, "failed_at"
    return item.delivered_at, "delivered_at"


def _message(item: DeliveredItem | FailedItem, shipment: Shipment) -> Message[Event]:
    at, field = _when(item)
    event: Event
    if isinstance(item, FailedItem):
        event = FailureReported(
            allocation=item.allocation,
            location=shipment.location,
            failed_at=at,
            failure=item.reason,
            note=item.note,
        )
        cause = derive_id(field, item.allocation, at.isoformat())
    else:
        event = DeliveryReported(
            allocation=item.allocation, location=shipment.location, delivered_at=at
        )
        cause = derive_id("delivered", item.allocation)
    return Message(id=cause, source="/restock/dispatcher/carriers", time=at, event=event)


def _answer(item: DeliveredItem, answer: NotTaken | None) -> Mapping[str, Any]:
    if answer is None:
        return {"status": int(HTTPStatus.ACCEPTED), "allocation": item.allocation}
    return {
        "status": answer.status,
        "allocation": item.allocation,
        "problem": describe(answer.status, answer.reason),
    }
