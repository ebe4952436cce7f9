"""Transfers: reserved and shipped at the source, on their way to and received at the target.

Between two shards the account transit stands for the road: the source's shard posts units to it,
and tells the target's shard, which posts them from it. So the accounts of all shards add up.
"""

from collections import Counter
from dataclasses import replace

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    DepartedLine,
    TransferCancelled,
    TransferDeparted,
    TransferLine,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)
from restock_common.contracts.stock import StockTransferred, TransferStage
from restock_common.errors import Permanent
from stock_ledger.domain import sourcing
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import keep_from_lots, tell_transferred
from stock_ledger.domain.model import (
    TRANSFER,
    Account,
    Booking,
    Claim,
    ClaimKey,
    ClaimState,
    Inbound,
    Piece,
    PieceState,
)
from stock_ledger.domain.rules import check_not_ahead


def order_transfer(books: Books, message: Message[TransferOrdered]) -> Decision:
    """Reserve at the source what is there of each line, once; the rest is told to be short.

    Raises:
        Permanent: The source is not on this shard, or is another pool's.
    """
    event = message.event
    if event.source.shard != books.shard:
        raise Permanent(f"is {event.source.shard}, read on {books.shard}", field="source.shard")
    key = ClaimKey(event.transfer, TRANSFER)
    if books.claim(key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time)
    claim = draft.add(
        Claim(event.transfer, TRANSFER, ClaimState.OPEN, message.time, event, message.traceparent),
        fresh=True,
    )
    for line in event.lines:
        draft.check_pool(line.sku, event.source.location, event.source.pool)
        number = draft.ask(claim, line.line, line.sku, line.quantity)
        _reserve(draft, claim, number)
    return draft.finish()


def ship_transfer(books: Books, message: Message[TransferShipped]) -> Decision:
    """Let reserved units leave, once a shipment, and tell the target's shard.

    Raises:
        Permanent: The transfer is not known, or fewer units of a line are reserved.
    """
    event = message.event
    check_not_ahead("shipped_at", event.shipped_at, message.time)
    booking = Booking("transfer shipment", f"{event.transfer} {event.shipment}")
    if books.fact(Booking, booking.key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time, event.shipped_at)
    claim, placed = _open(draft, event.transfer)
    left = [_ship_line(draft, claim, line, n) for n, line in enumerate(event.lines)]
    if not event.lines:
        left = [
            [_leave(draft, claim, number)] for number, _ in pieces_in(claim, PieceState.RESERVED)
        ]
    pieces = [piece for line in left for piece in line]
    if not pieces:
        raise Permanent(f"nothing of {event.transfer!r} is reserved", field="transfer")
    draft.put(booking)
    draft.emit(
        TransferDeparted(
            transfer=event.transfer,
            shipment=event.shipment,
            source=placed.source,
            target=placed.target,
            shipped_at=event.shipped_at,
            lines=tuple(_departed(draft, piece) for piece in pieces),
        ),
        claim=claim,
        partition=placed.target.shard,
    )
    return draft.finish()


def cancel_transfer(books: Books, message: Message[TransferCancelled]) -> Decision:
    """Free what has not left.

    Raises:
        Permanent: The transfer is not known.
    """
    draft = Draft(books, message.id, message.time)
    claim, placed = _open(draft, message.event.transfer)
    if claim.state is ClaimState.CANCELLED:
        return Decision(duplicate=True)
    claim.state = ClaimState.CANCELLED
    freed = []
    for number, piece in pieces_in(claim, PieceState.RESERVED):
        draft.move(claim, number, PieceState.CANCELLED)
        tell_transferred(draft, claim, piece, TransferStage.CANCELLED)
        freed.append(piece.sku)
    for sku in dict.fromkeys(freed):
        serve(draft, placed.source.pool, sku)
    return draft.finish()


def depart(books: Books, message: Message[TransferDeparted]) -> Decision:
    """Note at the target what is on its way; what has been received before is not any more.

    Raises:
        Permanent: The target is not on this shard, or is another pool's.
    """
    event = message.event
    if event.target.shard != books.shard:
        raise Permanent(f"is {event.target.shard}, read on {books.shard}", field="target.shard")
    booking = Booking("transfer departure", f"{event.transfer} {event.shipment}")
    if books.fact(Booking, booking.key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time, event.shipped_at)
    for line in event.lines:
        _come_near(draft, event, line)
    draft.put(booking)
    return draft.finish()


def receive_transfer(books: Books, message: Message[TransferReceived]) -> Decision:
    """Book what has arrived, once a receipt; where it is complete, what is missing is lost.

    Units that arrive before the source's shard has told of them are taken from the road.

    Raises:
        Permanent: The location belongs to another pool, the transfer goes elsewhere, or a line
            of it is another sku.
    """
    event = message.event
    check_not_ahead("received_at", event.received_at, message.time)
    booking = Booking("transfer receipt", f"{event.transfer} {event.receipt}")
    if books.fact(Booking, booking.key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time, event.received_at)
    _check_told(draft, event)
    for line in event.lines:
        draft.check_pool(line.sku, event.location, event.pool)
        _receive_line(draft, event, line)
    if event.complete:
        _lose_the_rest(draft, event)
    for sku in dict.fromkeys(line.sku for line in event.lines):
        serve(draft, event.pool, sku)
    draft.put(booking)
    return draft.finish()


def _open(draft: Draft, transfer: str) -> tuple[Claim, TransferOrdered]:
    claim = draft.open(ClaimKey(transfer, TRANSFER))
    if claim is None or not isinstance(claim.placed, TransferOrdered):
        raise Permanent(f"{transfer!r} is not a transfer from this shard", field="transfer")
    return claim, claim.placed


def _reserve(draft: Draft, claim: Claim, number: int) -> None:
    piece = claim.pieces[number]

    def available(location: str) -> int:
        return draft.available(piece.sku, location, claim.pool)

    for location, units in sourcing.fill(piece.quantity, claim.locations, available):
        for kept in keep_from_lots(draft, claim, number, location, units, PieceState.RESERVED):
            tell_transferred(draft, claim, kept, TransferStage.RESERVED)
    if claim.pieces[number].state is PieceState.ASKED:
        short = draft.move(claim, number, PieceState.CANCELLED)
        tell_transferred(draft, claim, short, TransferStage.SHORT)


def _ship_line(draft: Draft, claim: Claim, line: TransferLine, place: int) -> list[Piece]:
    left, gone = line.quantity, []
    for number, piece in pieces_in(claim, PieceState.RESERVED):
        if left > 0 and (piece.line, piece.sku) == (line.line, line.sku):
            units = min(left, piece.quantity)
            left -= units
            gone.append(_leave(draft, claim, draft.divide(claim, number, units)))
    if left > 0:
        raise Permanent(
            f"{line.quantity} units of {line.sku!r}, {line.quantity - left} are reserved",
            field=f"lines.{place}.quantity",
        )
    return gone


def _leave(draft: Draft, claim: Claim, number: int) -> Piece:
    piece = draft.move(claim, number, PieceState.SHIPPED)
    tell_transferred(draft, claim, piece, TransferStage.SHIPPED)
    return piece


def _departed(draft: Draft, piece: Piece) -> DepartedLine:
    expires_on = next(
        one.expires_on for one in draft.lots(piece.sku, piece.location) if one.lot == piece.lot
    )
    return DepartedLine(
        line=piece.line,
        sku=piece.sku,
        quantity=piece.quantity,
        lot=piece.lot or None,
        expires_on=expires_on,
    )


def _come_near(draft: Draft, event: TransferDeparted, line: DepartedLine) -> None:
    """Post units that are on their way, less those that were received before they were told of."""
    lot, target = line.lot or "", event.target
    here = _received_early(draft, event, line)
    inbound = draft.fact(Inbound, (event.transfer, line.line, lot))
    if inbound is None or inbound.sku != line.sku:  # something else came before this was told
        inbound = Inbound(event.transfer, line.line, lot, line.sku, target.location, target.pool)
    left = line.quantity - here
    lost = left if here and _is_complete(draft, event.transfer, line.line) else 0
    draft.put(
        replace(
            inbound,
            location=target.location,
            pool=target.pool,
            shipped=inbound.shipped + line.quantity,
            received=inbound.received + (here if lot else 0),
            lost=inbound.lost + lost,
        )
    )
    place = (line.sku, target.location)
    if left > 0:
        way = (Account.TRANSIT, Account.IN_TRANSIT)
        draft.shift(place, target.pool, way, left, lot, line.expires_on)
    if lost > 0:
        draft.shift(place, target.pool, (Account.IN_TRANSIT, Account.ADJUSTMENT), lost, lot)
        name = Counter({(line.line, line.sku): lost})
        _tell(draft, event.transfer, target.location, name, TransferStage.LOST)


def _received_early(draft: Draft, event: TransferDeparted, line: DepartedLine) -> int:
    """Return the units of a line that were received before it was known of which lot they are."""
    early = draft.fact(Inbound, (event.transfer, line.line, ""))
    if early is None or early.sku != line.sku:
        return 0
    units = min(line.quantity, max(0, early.received + early.lost - early.shipped))
    if line.lot:
        draft.put(replace(early, received=early.received - units))
    return units


def _inbound(draft: Draft, transfer: str) -> list[Inbound]:
    return [one for one in draft.facts(Inbound) if one.transfer == transfer]


def _check_told(draft: Draft, event: TransferReceived) -> None:
    """Raise Permanent where something else, or elsewhere, arrives than was told to be coming."""
    skus = {line.line: (place, line.sku) for place, line in enumerate(event.lines)}
    for inbound in _inbound(draft, event.transfer):
        if inbound.shipped and inbound.location != event.location:
            raise Permanent(f"is {event.location!r}, not {inbound.location!r}", field="location")
        draft.check_pool(inbound.sku, event.location, event.pool)
        place, sku = skus.get(inbound.line, (0, inbound.sku))
        if sku != inbound.sku:
            raise Permanent(f"is {sku!r}, not {inbound.sku!r}", field=f"lines.{place}.sku")


def _receive_line(draft: Draft, event: TransferReceived, line: TransferLine) -> None:
    """Take units from what is on its way, lot by lot, and from the road what is not told of yet.

    What was given up as lost has turned up when more arrives than is on its way.
    """
    left = line.quantity
    for source in (Account.IN_TRANSIT, Account.ADJUSTMENT):
        for inbound in _inbound(draft, event.transfer):
            if (inbound.line, inbound.sku) == (line.line, line.sku):
                there = inbound.coming if source is Account.IN_TRANSIT else inbound.lost
                units = min(left, there)
                left -= units
                _arrive(draft, event, inbound, units, source)
    if left:
        known = draft.fact(Inbound, (event.transfer, line.line, ""))
        early = known or Inbound(
            event.transfer, line.line, "", line.sku, event.location, event.pool
        )
        _arrive(draft, event, early, left, Account.TRANSIT)
    lines = Counter({(line.line, line.sku): line.quantity})
    _tell(draft, event.transfer, event.location, lines, TransferStage.RECEIVED)


def _completion(transfer: str, line: str) -> Booking:
    """Return what is booked where a line was received to its end before it was told of."""
    return Booking("transfer complete", f"{transfer} {line}")


def _is_complete(draft: Draft, transfer: str, line: str) -> bool:
    return draft.fact(Booking, _completion(transfer, line).key) is not None


def _arrive(
    draft: Draft, event: TransferReceived, inbound: Inbound, units: int, source: Account
) -> None:
    if units == 0:
        return
    place = (inbound.sku, event.location)
    draft.shift(place, event.pool, (source, Account.FREE), units, inbound.lot)
    found = units if source is Account.ADJUSTMENT else 0
    received = inbound.received + units
    draft.put(replace(inbound, received=received, lost=inbound.lost - found))


def _lose_the_rest(draft: Draft, event: TransferReceived) -> None:
    """Give up what is on its way; what is missing of lines that came early when it is told of."""
    lost: Counter[tuple[str, str]] = Counter()
    for inbound in _inbound(draft, event.transfer):
        missing = inbound.coming
        if missing > 0:
            place = (inbound.sku, inbound.location)
            accounts = (Account.IN_TRANSIT, Account.ADJUSTMENT)
            draft.shift(place, inbound.pool, accounts, missing, inbound.lot)
            draft.put(replace(inbound, lost=inbound.lost + missing))
            lost[inbound.line, inbound.sku] += missing
        elif inbound.received > inbound.shipped:
            draft.put(_completion(event.transfer, inbound.line))
    _tell(draft, event.transfer, event.location, lost, TransferStage.LOST)


def _tell(
    draft: Draft,
    transfer: str,
    location: str,
    lines: Counter[tuple[str, str]],
    stage: TransferStage,
) -> None:
    for (line, sku), units in lines.items():
        draft.emit(
            StockTransferred(
                sku=sku,
                transfer=transfer,
                line=line,
                location=location,
                quantity=units,
                stage=stage,
            )
        )
