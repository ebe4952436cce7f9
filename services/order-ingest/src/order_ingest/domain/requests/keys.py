"""What is said of API keys."""

from typing import Annotated

from pydantic import Field

from order_ingest.domain.keys import Action
from order_ingest.domain.requests.base import Request
from restock_common.units import Identifier, Timestamp

MAX_OVERLAP_S = 30 * 86_400


class KeyRequest(Request):
    """A new key for the shop of the key that asks.

    Attributes:
        name: What it is for, in words.
        actions: What it may do: nothing that the key that asks may not.
        ends_at: From then on it is good for nothing: no later than the key that asks, and then
            where no time is told; where that one has no end, it is open.
    """

    name: Identifier
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=len(Action))]
    ends_at: Timestamp | None = None


class RotationRequest(Request):
    """A new key beside an old one, which ends after the overlap."""

    overlap_s: Annotated[int, Field(ge=0, le=MAX_OVERLAP_S)] = 86_400
