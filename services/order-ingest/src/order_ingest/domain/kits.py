"""Kits are taken apart at the door, so that the ledger needs no catalogue."""

from collections.abc import Mapping, Sequence

from order_ingest.domain.findings import Finding, Refused
from order_ingest.domain.requests import LineRequest, ReturnRequest
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.ledger import HoldLine, OrderLine, ReturnedLine
from restock_common.errors import shown
from restock_common.units import MAX_UNITS_PER_LINE

MAX_HOLD_LINES = 1_000
MAX_RETURNED_LINES = 1_000


def order_lines(
    lines: Sequence[LineRequest],
    catalogue: Catalogue,
    before: Mapping[str, OrderLine] | None = None,
    *,
    at: str = "lines",
) -> tuple[OrderLine, ...]:
    """Return lines as the ledger is told them: named, and of kits the components.

    Args:
        lines: As they were sent, of skus that the catalogue has.
        catalogue: What a kit is made of now.
        before: Lines that the order has had, by name: a kit stays made of what it was made of then.
        at: Where the lines stand in the input.

    Raises:
        Refused: A kit takes more units of a component than a line may have, or a line that the
            order has had was of another sku.
    """
    told, findings = [], []
    for number, line in enumerate(lines, 1):
        name = line.line or str(number)
        old = (before or {}).get(name)
        if old is not None and old.sku != line.sku:
            reason = f"was {shown(old.sku)!r} in this line: another sku is another line"
            findings.append(Finding(f"{at}.{number - 1}.sku", reason, shown(line.sku)))
        components = old.components if old else catalogue.products[line.sku].components
        if components and any(
            one.quantity * line.quantity > MAX_UNITS_PER_LINE for one in components
        ):
            reason = f"takes more than {MAX_UNITS_PER_LINE} units of a component"
            findings.append(Finding(f"{at}.{number - 1}.quantity", reason, line.quantity))
            continue
        told.append(
            OrderLine(
                line=name,
                sku=line.sku,
                quantity=line.quantity,
                components=components,
                preorder=line.preorder,
                split=line.split,
            )
        )
    if findings:
        raise Refused(findings)
    return tuple(told)


def returned(request: ReturnRequest, catalogue: Catalogue) -> ReturnRequest:
    """Return what came back as it stands on shelves: of kits, which shops name, components.

    Raises:
        Refused: It is more lines, or more units of one, than one return may have.
    """
    lines = _returned_lines(request.lines, catalogue)
    if len(lines) > MAX_RETURNED_LINES:
        raise Refused([Finding("lines", f"have more than {MAX_RETURNED_LINES} parts", len(lines))])
    most = max(line.quantity for line in lines)
    if most > MAX_UNITS_PER_LINE:
        raise Refused([Finding("lines", f"give back more than {MAX_UNITS_PER_LINE} units", most)])
    return request.model_copy(update={"lines": lines})


def _returned_lines(
    lines: Sequence[ReturnedLine], catalogue: Catalogue
) -> tuple[ReturnedLine, ...]:
    told = []
    for line in lines:
        product = catalogue.products.get(line.sku)
        if product is None or not product.components:
            told.append(line)
            continue
        for one in product.components:
            quantity = one.quantity * line.quantity
            told.append(line.model_copy(update={"sku": one.sku, "quantity": quantity}))
    return tuple(told)


def hold_lines(lines: Sequence[HoldLine], catalogue: Catalogue) -> tuple[HoldLine, ...]:
    """Return what a cart takes from the shelves, each sku once, in the order of the cart.

    Raises:
        Refused: It takes more units of a sku, or more skus, than one hold may.
    """
    units: dict[str, int] = {}
    for line in lines:
        components = catalogue.products[line.sku].components
        for sku, quantity in [(one.sku, one.quantity) for one in components] or [(line.sku, 1)]:
            units[sku] = units.get(sku, 0) + quantity * line.quantity
    findings = [
        Finding("lines", f"take more than {MAX_UNITS_PER_LINE} units of {shown(sku)!r}", total)
        for sku, total in units.items()
        if total > MAX_UNITS_PER_LINE
    ]
    if len(units) > MAX_HOLD_LINES:
        findings.append(Finding("lines", f"take more than {MAX_HOLD_LINES} skus", len(units)))
    if findings:
        raise Refused(findings)
    return tuple(HoldLine(sku=sku, quantity=total) for sku, total in units.items())
