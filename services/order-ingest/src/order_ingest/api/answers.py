"""What the routes can answer, as the API's description shows it."""

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, ConfigDict

from restock_common.runtime.problems import MEDIA_TYPE

Answers = dict[int | str, dict[str, Any]]

_MEANINGS: dict[int, str] = {
    400: "It is not JSON, or it ended before its time.",
    401: "The key is missing, or not known.",
    403: "The key is not good for this.",
    404: "Nothing is at this address, or it speaks of something that was never taken here.",
    408: "The body came too slowly.",
    409: "It contradicts what was taken before, which stays, or its `Idempotency-Key` is in use.",
    413: "It is too large: send it in parts.",
    415: "It is not said to be JSON.",
    422: "It cannot be taken: `errors` names each field, its value and the reason.",
    429: "Too much came with this key, or from this address: wait.",
    503: "Kafka or the database is away, or what it names may be there soon; nothing is promised:"
    " send it again.",
}
_RETRY_AFTER: dict[str, Any] = {
    "Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: _RETRY_AFTER,
    503: _RETRY_AFTER,
}


class FieldProblem(BaseModel):
    """One thing that is wrong."""

    field: str
    value: str | int | float | bool | None
    reason: str


class ProblemDetails(BaseModel):
    """What was not taken, and why (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


class Acceptance(BaseModel):
    """It is durable. Its id stands under the name of its kind: `order`, `receipt`, `product`.

    `waiting`: what it is about has not been seen yet.
    """

    model_config = ConfigDict(extra="allow")

    event: str
    pool: str | None = None
    waiting: bool | None = None


class BatchItem(BaseModel):
    """One item of a batch: an acceptance, or the problem with it."""

    model_config = ConfigDict(extra="allow")

    status: int
    event: str | None = None
    pool: str | None = None
    problem: ProblemDetails | None = None


class BatchAnswer(BaseModel):
    """Every item's answer, in their order."""

    items: list[BatchItem]


class EntitiesAnswer(BaseModel):
    """Every entity's acceptance, in their order."""

    items: list[Acceptance]


class CatalogueAnswer(BaseModel):
    """How many entities of each kind are written."""

    accepted: dict[str, int]


class KeyAnswer(BaseModel):
    """An API key without its secret."""

    id: str
    shop: str
    name: str
    actions: list[str]
    created_at: str
    ends_at: str | None
    replaces: str | None
    last_used_at: str | None


class NewKeyAnswer(KeyAnswer):
    """An API key as it is told once: `key` is what requests are made with."""

    key: str


class KeysAnswer(BaseModel):
    """The keys of a shop."""

    keys: list[KeyAnswer]


class HolderAnswer(BaseModel):
    """Whose a key is, and what it is good for."""

    shop: str
    actions: list[str]


class OrderDelivery(BaseModel):
    """Who gets an order; `recipient` is null where nobody may know any more."""

    model_config = ConfigDict(extra="allow")

    order: str
    recipient: dict[str, str] | None


class CustomerDelivery(BaseModel):
    """Who a customer is; `recipient` is null where nobody may know any more."""

    model_config = ConfigDict(extra="allow")

    customer: str
    recipient: dict[str, str] | None


class ManifestAnswer(BaseModel):
    """Who gets what was asked for, in that order."""

    orders: list[OrderDelivery]
    customers: list[CustomerDelivery]


class ShopAnswer(BaseModel):
    """What is written of a shop."""

    shop: str
    skus: int | None = None


class OrderToFetch(BaseModel):
    """An order of which a webhook did not tell enough."""

    order: str
    why: str
    asked_at: str


class ToFetchAnswer(BaseModel):
    """Orders that are to be read from the shop."""

    orders: list[OrderToFetch]


class Outcome(BaseModel):
    """What became of one thing: an acceptance, or one of `ignored`, `fetch` and `dead_letter`."""

    model_config = ConfigDict(extra="allow")

    event: str | None = None
    ignored: str | None = None
    fetch: str | None = None
    dead_letter: str | None = None


class DeliveryAnswer(BaseModel):
    """What became of each thing that a delivery asked for, in order."""

    items: list[Outcome]


class ClockAnswer(BaseModel):
    """How far time has come."""

    until: str


MODELS: tuple[type[BaseModel], ...] = (ProblemDetails,)
"""What is referred to by name."""


def accepts(model: type[BaseModel], *statuses: int, mixed: bool = False) -> Answers:
    """Return a route's answers: 202, and the problems that are its own.

    Args:
        model: Of what is accepted.
        statuses: Of problems, beside those that every route has.
        mixed: Whether items are answered one by one: then 207 where some are refused.
    """
    answers: Answers = {202: {"model": model, "description": "It is durable."}}
    if mixed:
        told = "Some are durable; each item has its own status."
        answers[207] = {"model": model, "description": told}
    return {**answers, **refusals(*statuses)}


def answers(model: type[BaseModel] | None, status: int, *statuses: int) -> Answers:
    """Return a route's answers where nothing is published.

    Args:
        model: Of the answer; None where it has no body.
        status: Of the answer.
        statuses: Of problems, beside those that every route has.
    """
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    return {status: told if model is None else {"model": model, **told}, **refusals(*statuses)}


def refusals(*statuses: int) -> Answers:
    """Return problems as answers of a route."""
    schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
    return {
        status: {
            "description": _MEANINGS.get(status, HTTPStatus(status).phrase),
            "content": {MEDIA_TYPE: {"schema": schema}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }


EVERYWHERE: Answers = refusals(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
"""What every route can answer."""
