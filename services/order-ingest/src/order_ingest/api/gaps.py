"""What is missing of a shop, over HTTP."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from order_ingest.api.answers import answers
from order_ingest.api.reading import DoorRoute, KeyRing
from order_ingest.domain.gaps import Range
from order_ingest.handlers import Gap, Gaps
from restock_common.units import Timestamp


class EventAnswer(BaseModel):
    """What a shop said last of its own accord."""

    channel: str
    kind: str
    told_at: Timestamp
    received_at: Timestamp


class RangeAnswer(BaseModel):
    """Numbers that follow one another; `accounted_at` where the shop does not have them, either."""

    first: int
    last: int
    noticed_at: Timestamp
    accounted_at: Timestamp | None


class PollAnswer(BaseModel):
    """How the reading of the shop's own API goes."""

    polled_at: Timestamp | None
    read_until: Timestamp | None
    due_at: Timestamp
    failures: int
    failing_since: Timestamp | None
    error: str | None


class GapAnswer(BaseModel):
    """What was heard of a shop, and what was not."""

    shop: str
    channel: str | None
    last_event: EventAnswer | None
    silent_since: Timestamp | None
    first_number: int | None
    last_number: int | None
    missing_count: int
    missing: list[RangeAnswer]
    not_in_shop: list[RangeAnswer]
    found_by_poll: int
    orders_to_fetch: int
    poll: PollAnswer | None


class GapsAnswer(BaseModel):
    """The shops that the key may see: its own."""

    gaps: list[GapAnswer]


def router(gaps: Gaps, ring: KeyRing) -> APIRouter:
    """Return the route of gaps; whose they are follows from the key."""
    routes = APIRouter(prefix="/v1", tags=["shops"], route_class=DoorRoute)

    @routes.get("/gaps", responses=answers(None, 200))
    async def show(shop: Annotated[str, Depends(ring.shop)]) -> GapsAnswer:
        """Show when the shop was last heard, which orders are missing, and how reading it goes."""
        return GapsAnswer(gaps=[described(gap) for gap in await gaps.of(shop)])

    return routes


def described(gap: Gap) -> GapAnswer:
    """Return what is missing of a shop, as it is told to programs."""
    return GapAnswer.model_validate(
        {
            "shop": gap.shop,
            "channel": gap.channel,
            "last_event": None if gap.last is None else asdict(gap.last),
            "silent_since": gap.silent_since,
            "first_number": gap.first_number,
            "last_number": gap.last_number,
            "missing_count": sum(map(len, gap.missing)),
            "missing": list(map(_range, gap.missing)),
            "not_in_shop": list(map(_range, gap.not_in_shop)),
            "found_by_poll": gap.found,
            "orders_to_fetch": gap.to_fetch,
            "poll": None if gap.poll is None else asdict(gap.poll),
        }
    )


def _range(hole: Range) -> dict[str, Any]:
    told = asdict(hole)
    del told["after"]
    return told
