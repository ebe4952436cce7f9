"""What later messages name by its id: carts, transfers and expected receipts, as first taken."""

from collections.abc import Set
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

from order_ingest.domain.findings import Conflict, Unknown
from order_ingest.domain.requests import Request
from restock_common.contracts.ledger import CartHeld, ReceiptExpected, TransferOrdered

RegisteredT = TypeVar("RegisteredT", CartHeld, TransferOrdered, ReceiptExpected)


@dataclass(frozen=True, slots=True)
class Entry(Generic[RegisteredT]):
    """What was taken first under an id; whatever comes later, it stays that.

    Attributes:
        id: Its id.
        event: What the ledger is told.
        digest: Of what was said and has to stay.
    """

    id: str
    event: RegisteredT
    digest: bytes


def entry(
    identity: str, event: RegisteredT, request: Request, *, free: Set[str] = frozenset()
) -> Entry[RegisteredT]:
    """Return what is to be remembered of a request.

    Args:
        identity: Its id.
        event: What the ledger is told.
        request: What was sent.
        free: Its fields that may differ in what comes later.
    """
    said = request.model_dump_json(exclude=set(free), exclude_defaults=True).encode()
    return Entry(identity, event, blake2b(said, digest_size=16).digest())


def settle(first: Entry[RegisteredT], asked: Entry[RegisteredT], field: str) -> Entry[RegisteredT]:
    """Return what a repeat is answered with: the first.

    Raises:
        Conflict: The repeat says something else.
    """
    if first.digest != asked.digest:
        raise Conflict(f"{field} {asked.id!r} was taken before with other content", field=field)
    return first


def taken(field: str, identity: str, found: RegisteredT | None) -> RegisteredT:
    """Return what was found. Raises Unknown where nothing was."""
    if found is None:
        raise Unknown(f"{field} {identity!r} is not known", field=field)
    return found
