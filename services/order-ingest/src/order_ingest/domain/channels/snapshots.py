"""An order as a shop shows it at one moment, and what that asks of the ledger.

Every channel reads its payload into a `Snapshot`; what follows from one is written here, once. A
snapshot is absolute: whatever was missed before, and in whatever order deliveries come, the newest
one leads to the order as the shop has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from pydantic import ValidationError

from order_ingest.domain.channels.base import (
    Addressee,
    Amend,
    Cancel,
    Command,
    Ignored,
    InvalidPayload,
    Place,
    Return,
    Shop,
    SkuSource,
    Unmapped,
    country_code,
)
from order_ingest.domain.channels.lenient import invalid, requested, wrong
from order_ingest.domain.places import Found, Precision
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    NamedLineRequest,
    OrderRequest,
    ReturnRequest,
)
from order_ingest.domain.sandbox import TEST
from restock_common.contracts.ledger import Place as Position
from restock_common.contracts.ledger import ReturnedLine
from restock_common.errors import shown

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIE_BITS = 20
_MAX_SEEN_UNITS = 4095
_MAX_LINES = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order in a shop.

    Attributes:
        at: Its place in the payload.
        line: Its id in the shop.
        sku: As the shop has it; may be "".
        variant: The shop's id of what was sold; may be "".
        product: The shop's id of the product of which that is one; may be "".
        ordered: Units that were ever asked for.
        target: Units that are to be shipped, shipped ones included.
        ships: Whether it takes anything from a shelf.
    """

    at: str
    line: str
    sku: str
    variant: str
    product: str
    ordered: int
    target: int
    ships: bool = True


@dataclass(frozen=True, slots=True)
class Back:
    """Units that came back, all to one place.

    Attributes:
        returned: The shop's id of the return.
        at: When.
        items: What came back, `target` units of each.
        location: The shop's id of where; may be "".
        field: Its place in the payload.
    """

    returned: str
    at: datetime
    items: tuple[Item, ...]
    location: str
    field: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An order as a shop shows it.

    Attributes:
        order: Its id in the shop.
        placed_at: When it was placed.
        changed_at: When it last changed; None where this is how it began.
        items: Its lines.
        customer: Who ordered, by the shop's id or by mail; "" where nobody is named.
        recipient: Who gets it, and where.
        region: The code of the recipient's region; may be "".
        address_at: Where the address stands in the payload.
        position: Where it goes, if the shop knows.
        value: What it is worth.
        currency: In which currency.
        promised_by: When the customer was told to have it.
        cancelled_at: When it was called off.
        cancel_reason: Why.
        test: Nobody pays for it: it is only tried out.
        backs: What came back.
        changed_field: Where `changed_at` stands in the payload.
        items_at: Where the lines stand in the payload.
    """

    order: str
    placed_at: datetime
    changed_at: datetime | None
    items: tuple[Item, ...]
    customer: str
    recipient: Addressee
    region: str = ""
    address_at: str = "shipping_address"
    position: Position | None = None
    value: float | None = None
    currency: str = ""
    promised_by: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str = ""
    test: bool = False
    backs: tuple[Back, ...] = ()
    changed_field: str = "updated_at"
    items_at: str = "line_items"


def commands_of(snapshot: Snapshot, shop: Shop) -> tuple[Command, ...]:
    """Return what a snapshot asks for.

    How an order began is placed, and no more. What changed is placed too (the beginning may come
    later, or never) and amended to what it is now: so that the newest revision counts, whatever
    comes after it. Of an order of which nothing is left it is told how it began, for whoever has
    not heard of it: it was demand all the same.

    Raises:
        InvalidPayload: It breaks a limit of the doors.
        Unmapped: A sku or a location is not known.
    """
    order = f"{TEST}{snapshot.order}" if snapshot.test else snapshot.order
    backs = tuple(_back(back, order, shop) for back in snapshot.backs if back.items)
    if snapshot.cancelled_at is not None:
        cancel = requested(
            CancelRequest,
            order,
            cancelled_at=snapshot.cancelled_at,
            reason=_one_line(snapshot.cancel_reason),
        )
        return _with_beginning(Cancel(order, cancel), backs, snapshot, shop)
    items = shelved(snapshot, shop)
    if not items:
        ignored = Ignored("it ships nothing: gift cards, services or no lines at all")
        return backs or (ignored,)
    wanted = [_line(item, sku, item.target) for item, sku in items if item.target > 0]
    commands: list[Command] = []
    if wanted:
        commands.append(_place(order, snapshot, shop, wanted))
    if snapshot.changed_at is not None:
        number = revision(snapshot.changed_at, [item for item, _ in items], snapshot.changed_field)
        amendment = requested(
            AmendmentRequest,
            order,
            revision=number,
            lines=tuple(wanted),
            amended_at=snapshot.changed_at,
            recipient=snapshot.recipient.as_recipient(),
        )
        if not wanted:
            return _with_beginning(Amend(order, amendment), backs, snapshot, shop)
        commands.append(Amend(order, amendment))
    return (*commands, *backs) or (Ignored("nothing of it is to be shipped"),)


def _with_beginning(
    end: Cancel | Amend, backs: Sequence[Command], snapshot: Snapshot, shop: Shop
) -> tuple[Command, ...]:
    """Return how an order ended, and beside it how it began; what came back goes behind both.

    It ends, whether its beginning can be told or not.

    Raises:
        Unmapped: A sku or a country of the beginning is not known.
    """
    began = None
    try:
        items = [one for one in shelved(snapshot, shop) if one[0].ordered > 0]
        if items:
            lines = [_line(item, sku, item.ordered) for item, sku in items]
            began = _place(end.order, snapshot, shop, lines)
    except InvalidPayload:
        pass
    except Unmapped as error:
        error.otherwise = (end, *backs)
        raise
    return (replace(end, began=began), *backs)


def backs_of(order: str, backs: Sequence[Back], shop: Shop) -> tuple[Command, ...]:
    """Return what came back of an order of which nothing else is told.

    Raises:
        InvalidPayload: It breaks a limit of the doors.
        Unmapped: A sku or a location is not known.
    """
    commands = tuple(_back(back, order, shop) for back in backs if back.items)
    return commands or (Ignored("nothing came back"),)


def revision(changed_at: datetime, items: Sequence[Item], at: str = "updated_at") -> int:
    """Return the revision of a state: its milliseconds since 1970, and what breaks ties.

    Of two states with one time (shops tell seconds) the newer is taken to be the one that has seen
    more units asked for or taken out, since both only grow where a shop keeps lines that were
    edited; where that is equal, eight bits of a digest choose: whatever the order of deliveries,
    the same one wins.

    Raises:
        InvalidPayload: The time is before 1970.
    """
    milliseconds = (changed_at - _EPOCH) // timedelta(milliseconds=1)
    if milliseconds <= 0 or milliseconds >= 1 << (63 - _TIE_BITS):
        raise wrong(at, "is before 1970 or after 2248", changed_at.isoformat())
    seen = sum(2 * item.ordered - item.target for item in items)
    told = repr(sorted((item.line, item.sku, item.target) for item in items))
    digest = blake2b(told.encode(errors="replace"), digest_size=1).digest()[0]
    return milliseconds << _TIE_BITS | min(max(seen, 0), _MAX_SEEN_UNITS) << 8 | digest


def shelved(snapshot: Snapshot, shop: Shop) -> list[tuple[Item, str]]:
    """Return the items that take something from a shelf, each with its sku.

    Raises:
        InvalidPayload: A line stands twice, or there are too many.
        Unmapped: An item has no sku that is known.
    """
    found = [(item, sku) for item, sku in skus_of(snapshot.order, snapshot.items, shop) if sku]
    if len(found) > _MAX_LINES:
        raise wrong(snapshot.items_at, f"has more than {_MAX_LINES} lines", len(found))
    seen: set[str] = set()
    for item, _ in found:
        if item.line in seen:
            raise wrong(item.at, "is a line that stands twice", item.line)
        seen.add(item.line)
    return found


def skus_of(order: str, items: Sequence[Item], shop: Shop) -> list[tuple[Item, str]]:
    """Return each item with its sku; "" for what ships nothing.

    Raises:
        Unmapped: Naming both ids of the first item that has no sku; its keys are those of all.
    """
    found, lacking = [], []
    for item in items:
        sku = _sku(item, shop)
        if sku is None:
            lacking.append(item)
        else:
            found.append((item, sku))
    if lacking:
        first = lacking[0]
        raise Unmapped(
            f"order {shown(order)!r}: no sku is known for variant {shown(first.variant)!r} of"
            f" product {shown(first.product)!r} (line {shown(first.line)!r},"
            f" sku {shown(first.sku)!r}), nor for {len(lacking) - 1} other lines",
            field=first.at,
            keys=[key for item in lacking for key in _keys(item)],
        )
    return found


def _line(item: Item, sku: str, quantity: int) -> NamedLineRequest:
    try:
        return NamedLineRequest(line=item.line, sku=sku, quantity=quantity)
    except ValidationError as error:
        raise invalid(error, item.at) from None


def _sku(item: Item, shop: Shop) -> str | None:
    """Return the sku of an item, "" where it ships nothing, None where nobody knows."""
    if not item.ships or item.sku in shop.settings.unshipped:
        return ""
    looked_up = next((shop.skus[key] for key in _keys(item) if key in shop.skus), None)
    if shop.settings.sku_from is SkuSource.VARIANT:
        return looked_up
    return item.sku or looked_up


def _keys(item: Item) -> list[str]:
    """Return what the table of variants may know an item by, the nearer first."""
    keys = [item.variant] if item.variant else []
    return [*keys, f"product:{item.product}"] if item.product else keys


def _place(order: str, snapshot: Snapshot, shop: Shop, lines: Sequence[NamedLineRequest]) -> Place:
    found = located(snapshot, shop)
    settings = shop.settings
    ranked_by_value = settings.currency is not None and (
        snapshot.currency.upper() == settings.currency
    )
    request = requested(
        OrderRequest,
        order,
        order=order,
        customer=shop.token(snapshot.customer or f"order:{snapshot.order}"),
        placed_at=snapshot.placed_at,
        destination=found.place,
        recipient=snapshot.recipient.as_recipient(),
        lines=tuple(lines),
        channel=settings.channel,
        promised_by=snapshot.promised_by,
        value=snapshot.value if ranked_by_value else None,
    )
    return Place(request, found.precision)


def located(snapshot: Snapshot, shop: Shop) -> Found:
    """Return where an order goes: what the shop says, or else city, region or country.

    Raises:
        Unmapped: It names no country that is known, and the shop's settings have none.
    """
    if snapshot.position is not None:
        return Found(snapshot.position, Precision.COORDINATES)
    named = country_code(snapshot.recipient.country)
    for country in (named, shop.settings.country):
        if not country:
            continue
        found = shop.gazetteer.find(country, snapshot.region, snapshot.recipient.city)
        if found is not None:
            return found
    raise Unmapped(
        f"order {shown(snapshot.order)!r}: {shown(snapshot.recipient.country)!r} is no country that"
        " is known, and the shop's settings have none",
        field=f"{snapshot.address_at}.country",
    )


def _back(back: Back, order: str, shop: Shop) -> Command:
    settings = shop.settings
    location = settings.locations.get(back.location) or settings.return_location
    if location is None:
        raise Unmapped(
            f"order {shown(order)!r}: came back to {shown(back.location)!r}, for which the"
            " shop's settings have no location, and no return_location",
            field=back.field,
        )
    lines = [
        _line_back(item, sku, shop)
        for item, sku in skus_of(order, back.items, shop)
        if sku and item.target
    ]
    if not lines:
        return Ignored(f"return {shown(back.returned)!r}: nothing of it stands on a shelf")
    request = requested(
        ReturnRequest,
        order,
        returned=back.returned,
        order=order,
        location=location,
        returned_at=back.at,
        lines=tuple(lines),
    )
    return Return(request)


def _line_back(item: Item, sku: str, shop: Shop) -> ReturnedLine:
    try:
        return ReturnedLine(
            line=item.line,
            sku=sku,
            quantity=item.target,
            condition=shop.settings.return_condition,
        )
    except ValidationError as error:
        raise invalid(error, item.at) from None


def _one_line(text: str) -> str:
    """Return words without control characters, as long as a reason may be."""
    return "".join(one if one.isprintable() else " " for one in text)[:500]
