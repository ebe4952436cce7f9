"""What a file holds: which door takes it, and what its rows and columns mean.

NDJSON holds the door's own JSON, one item a line. Rows (CSV, Parquet) are flat: a column
`destination.latitude` is a field inside `destination`, and rows that follow each other with the
same id are the lines of one item. An empty cell is a field that is not there.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

import orjson

Row = Mapping[str, Any]


class Kind(StrEnum):
    """What a file can hold."""

    ORDERS = "orders"
    RECEIPTS = "receipts"
    SCANS = "scans"


@dataclass(frozen=True, slots=True)
class Shape:
    """How rows become items.

    Attributes:
        id: The column that rows of one item share; None where each row is an item.
        of_line: The columns of a line; all others are of the item.
    """

    id: str | None = None
    of_line: frozenset[str] = frozenset()


SHAPES: Mapping[Kind, Shape] = {
    Kind.ORDERS: Shape("order", frozenset({"line", "sku", "quantity", "preorder", "split"})),
    Kind.RECEIPTS: Shape(
        "receipt",
        frozenset({"sku", "quantity", "order_line", "lot", "expires_on", "serials", "condition"}),
    ),
    Kind.SCANS: Shape(),
}


@dataclass(slots=True)
class Item:
    """One item of a file.

    Attributes:
        number: Its first line or row, from 1; of rows, the header is not counted.
        raw: What the door is sent; None where nothing can be made of it.
        reason: Why nothing can.
        shown: What stands in the file then.
        done: How far the file has been read behind it, in its own measure.
    """

    number: int
    raw: bytes | None
    reason: str = ""
    shown: str = ""
    done: int = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that is none.

    Attributes:
        reason: Why.
        cells: What can be read of it all the same.
    """

    reason: str
    cells: Row = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    number: int
    head: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def items_of_rows(rows: Iterable[tuple[Row | Broken, int]], kind: Kind) -> Iterator[Item]:
    """Yield the items that rows make.

    An item is refused as a whole where one of its rows is broken, or where a row next to it may be
    one of its: without that line it would be another order.

    Args:
        rows: Each with how far the file has been read.
        kind: What they hold.
    """
    shape = SHAPES[kind]
    if shape.id is None:
        for number, (row, done) in enumerate(rows, 1):
            if isinstance(row, Broken):
                yield Item(number, None, row.reason, repr(row.cells), done)
            else:
                yield _item(_Group(number, _split(row, shape)[0]), done)
    else:
        yield from _grouped(rows, shape, shape.id)


def _grouped(
    rows: Iterable[tuple[Row | Broken, int]], shape: Shape, id_column: str
) -> Iterator[Item]:
    group: _Group | None = None
    nobodys: list[str] = []  # faults of rows just before, of which nobody knows whose they are
    done = 0
    for number, (row, read) in enumerate(rows, 1):
        broken = row if isinstance(row, Broken) else None
        cells = row.cells if isinstance(row, Broken) else row
        head, line = _split(cells, shape)
        if id_column not in head:
            reason = f"{id_column}: is missing" if broken is None else broken.reason
            yield Item(number, None, reason, repr(cells), read)
            nobodys.append(f"row {number}, which may be of it, {reason}")
            if group is not None:
                group.faults.append(nobodys[-1])
            continue
        if group is not None and head[id_column] != group.head[id_column]:
            yield _item(group, done)
            group = None
        if group is None:
            group = _Group(number, head, faults=nobodys)
        if broken is not None:
            group.faults.append(f"row {number} {broken.reason}")
        elif head != group.head:
            differs = _differs(head, group)
            group.faults.append(f"row {number} differs from row {group.number} in {differs}")
        group.lines.append(line)
        nobodys, done = [], read
    if group is not None:
        yield _item(group, done)


def _differs(head: Row, group: _Group) -> str:
    names = head.keys() | group.head.keys()
    return ", ".join(sorted(n for n in names if head.get(n) != group.head.get(n)))


def _split(row: Row, shape: Shape) -> tuple[dict[str, Any], dict[str, Any]]:
    head: dict[str, Any] = {}
    line: dict[str, Any] = {}
    for name, cell in row.items():
        value = plain(name, cell)
        if value is not None:
            (line if name in shape.of_line else head)[name] = value
    return head, line


def _item(group: _Group, done: int) -> Item:
    item = nested(group.head)
    if group.lines and any(group.lines):
        item["lines"] = group.lines
    try:
        raw = orjson.dumps(item)
    except TypeError:
        return Item(group.number, None, "is not UTF-8", shown=repr(item), done=done)
    if group.faults:
        return Item(group.number, None, "; ".join(group.faults), shown=raw.decode(), done=done)
    return Item(group.number, raw, done=done)


def nested(row: Row) -> dict[str, Any]:
    """Return a row with dotted columns as fields inside fields."""
    whole: dict[str, Any] = {}
    for name, value in row.items():
        *outer, last = name.split(".")
        place = whole
        for part in outer:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else place
        place[last] = value
    return whole


def _whole(value: Any) -> Any:
    return int(value)


def _number(value: Any) -> Any:
    return float(value)


def _truth(value: Any) -> Any:
    return value if isinstance(value, bool) else {"true": True, "false": False}[value.lower()]


def _words(value: Any) -> Any:
    return value.split() if isinstance(value, str) else list(value)


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "quantity": _whole,
    "sequence": _whole,
    "value": _number,
    "destination.latitude": _number,
    "destination.longitude": _number,
    "ship_complete": _truth,
    "preorder": _truth,
    "split": _truth,
    "serials": _words,
}


def plain(name: str, cell: Any) -> Any:
    """Return a cell as JSON has it; None for an empty one.

    What is not what its column should hold stays as it is: the door says what is wrong with it. A
    time without a zone is taken for UTC where the file has times, and not texts.
    """
    if cell is None or cell == "" or cell != cell:  # noqa: PLR0124 - NaN is an empty cell
        return None
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    convert = _CONVERTERS.get(name)
    if convert is None:
        return cell if isinstance(cell, (bool, list, dict)) else str(cell)
    try:
        return convert(cell)
    except (ValueError, TypeError, KeyError, AttributeError):
        return str(cell)
