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


@dataclass(slots=True)
class _Group:
    number: int
    head: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""


def items_of_rows(rows: Iterable[tuple[Row | str, int]], kind: Kind) -> Iterator[Item]:
    """Yield the items that rows make.

    Args:
        rows: Each with how far the file has been read; a text says why a row is none.
        kind: What they hold.
    """
    shape = SHAPES[kind]
    group: _Group | None = None
    done = 0
    for number, (row, read) in enumerate(rows, 1):
        if isinstance(row, str):
            if group is not None:
                yield _item(group, done)
                group = None
            yield Item(number, None, row, done=read)
            continue
        head, line = _split(row, shape)
        if group is not None and (shape.id is None or head.get(shape.id) != group.head[shape.id]):
            yield _item(group, done)
            group = None
        if group is None:
            group = _Group(number, head)
            if shape.id is not None and shape.id not in head:
                yield Item(number, None, f"{shape.id}: is missing", shown=repr(row), done=read)
                group = None
                continue
        elif head != group.head:
            group.reason = (
                f"row {number} differs from row {group.number} in {_differs(head, group)}"
            )
        if shape.id is not None:
            group.lines.append(line)
        done = read
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
    if group.reason:
        return Item(group.number, None, group.reason, shown=raw.decode(), done=done)
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
