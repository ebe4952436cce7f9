"""Commands as people and machines send them, drawn at random."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from hypothesis import strategies as st
from tests.support import EPOCH
from tests.unit.stock_ledger.building import sourcing

from restock_common.contracts.ledger import (
    AdjustedLine,
    Component,
    Condition,
    CountLine,
    OrderLine,
    ReceiptLine,
    Sourcing,
)
from stock_ledger.domain.rules import Rules, Weights
from stock_ledger.domain.sourcing import STRATEGIES

POOLS: dict[str, Sourcing] = {
    "north": sourcing("north", ["n1", "n2"], shard=0),
    "east": sourcing("east", ["e1"], shard=0),
    "south": sourcing("south", ["s1", "s2"], shard=1),
    "west": sourcing("west", ["w1"], shard=2),
}
PLACES = [(pool, place.location) for pool, source in POOLS.items() for place in source.locations]
NAMES = sorted(POOLS)
SKUS = ["tea", "cup", "pot"]
KIT = (Component(sku="tea", quantity=1), Component(sku="cup", quantity=2))
skus = st.sampled_from(["tea", "tea", "tea", "cup", "cup", "pot"])
units = st.integers(1, 6)
places = st.sampled_from(PLACES)
order_names = st.integers(0, 7).map("o{}".format)
conditions = st.sampled_from([Condition.SELLABLE] * 4 + [Condition.DAMAGED, Condition.QUALITY_HOLD])
channels = st.sampled_from([None, None, "shop", "market"])
sides = st.sampled_from([Condition.SELLABLE, Condition.SELLABLE, *Condition, "outside"])
later = st.sampled_from([False, False, True])
minutes_ago = st.sampled_from([0, 0, 0, 5, 30, 24 * 60]).map(lambda n: timedelta(minutes=n))
steps = st.sampled_from(
    [timedelta(minutes=10)] * 5 + [timedelta(hours=7), timedelta(days=1), timedelta(days=40)]
)

rules = st.builds(
    Rules,
    strategy=st.sampled_from(sorted(STRATEGIES)),
    location_priority=st.permutations(["n2", "s2", "n1", "s1"]).map(tuple),
    weights=st.builds(
        Weights,
        promised=st.sampled_from([0.0, 10.0]),
        tiers=st.just({"gold": 5.0}),
        channels=st.just({"shop": 2.0}),
        age_per_day=st.sampled_from([0.0, 1.0]),
        value=st.sampled_from([0.0, 1.0]),
    ),
    expiring_days=st.sampled_from([0, 2]),
    slow_moving_days=st.just(30),
    shrinkage_losses=st.just(2),
)


def home_of(order: str) -> str:
    """Return the home pool of an order: one for ever, since the door remembers it."""
    return NAMES[int(order[1:]) % len(NAMES)]


@st.composite
def order_lines(draw: st.DrawFn, first: int = 1, most: int = 3) -> list[OrderLine]:
    """Return lines with names from a number on: plain ones, preorders, whole ones and kits."""
    lines = []
    for number in range(first, first + draw(st.integers(1, most))):
        kind = draw(
            st.sampled_from(["plain", "plain", "plain", "preorder", "preorder", "whole", "kit"])
        )
        lines.append(
            OrderLine(
                line=str(number),
                sku="set" if kind == "kit" else draw(skus),
                quantity=draw(st.integers(1, 2) if kind == "kit" else units),
                components=KIT if kind == "kit" else (),
                preorder=kind == "preorder",
                split=kind != "whole",
            )
        )
    return lines


@st.composite
def sourcings(draw: st.DrawFn, home: str) -> tuple[Sourcing, ...]:
    """Return the ranking of an order from home: other pools, once each, or home alone."""
    others = draw(st.permutations([pool for pool in NAMES if pool != home]))
    asked = draw(st.sampled_from([0, 1, 1, 2, 3]))
    return tuple(POOLS[pool] for pool in (home, *others[:asked]))


@st.composite
def amended_lines(draw: st.DrawFn, lines: list[OrderLine]) -> list[OrderLine]:
    """Return what may be said of an order's lines later: more, fewer, none, others."""
    kept = []
    for line in lines:
        match draw(st.sampled_from(["keep", "keep", "change", "change", "drop", "split"])):
            case "keep":
                kept.append(line)
            case "change":
                kept.append(line.model_copy(update={"quantity": draw(units)}))
            case "split":
                kept.append(line.model_copy(update={"split": not line.split}))
    names = [int(line.line) for line in lines if line.line.isdigit()]
    if draw(st.booleans()):
        kept += draw(order_lines(first=max(names, default=0) + 1, most=1))
    return kept


def last_day(lot: str) -> date | None:
    """Return the last day of a lot, which it is named after; None where there are no lots."""
    return EPOCH.date() + timedelta(days=int(lot[1:])) if lot else None


@st.composite
def receipt_lines(draw: st.DrawFn, now: datetime, serials_from: int) -> list[ReceiptLine]:
    """Return what arrives: lots, serials, damaged units, what was expected or not."""
    today = (now - EPOCH).days
    lots = ["", "", "", f"L{today}", f"L{today + 1}", f"L{today + 2}"]
    lines = []
    for number in range(draw(st.integers(1, 2))):
        lot, sku, quantity = draw(st.sampled_from(lots)), draw(skus), draw(units)
        told_apart = sku == "pot"
        lines.append(
            ReceiptLine(
                sku=sku,
                quantity=quantity,
                lot=lot or None,
                expires_on=draw(st.sampled_from([last_day(lot), last_day(lot), None])),
                condition=draw(conditions),
                order_line=draw(st.sampled_from([None, "x1", "x2"])),
                serials=tuple(f"s{serials_from}-{number}-{n}" for n in range(quantity))
                if told_apart
                else (),
            )
        )
    return lines


@st.composite
def count_lines(draw: st.DrawFn, lots: Sequence[str]) -> list[CountLine]:
    """Return what was found: by lot or not, in any condition, a sku at most once each."""
    return draw(
        st.lists(
            st.builds(
                CountLine,
                sku=skus,
                quantity=st.sampled_from([0, 0, 1, 2, 3, 6, 9]),
                lot=st.sampled_from([None, None, *lots]),
                condition=conditions,
            ),
            min_size=1,
            max_size=3,
            unique_by=lambda line: (line.sku, line.lot, line.condition),
        )
    )


@st.composite
def adjusted_lines(draw: st.DrawFn, lots: Sequence[str]) -> list[AdjustedLine]:
    """Return changes of condition, finds and losses: more than there is as well."""
    lines = []
    for _ in range(draw(st.integers(1, 2))):
        source, target = draw(st.tuples(sides, sides).filter(lambda both: both[0] != both[1]))
        lot = draw(st.sampled_from([None, None, *lots]))
        lines.append(
            AdjustedLine(
                sku=draw(skus), quantity=draw(units), source=source, target=target, lot=lot
            )
        )
    return lines
