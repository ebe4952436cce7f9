"""Files as items, what is refused, and going on after an end in the middle."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from restock_local.demo.door import Refused
from restock_local.ingest.catalogue import as_body, read_catalogue
from restock_local.ingest.progress import Ledger, OtherFile
from restock_local.ingest.send import ITEMS_AT_ONCE, send
from restock_local.ingest.shapes import Item, Kind
from restock_local.ingest.sources import Unreadable, items, size_of

HEADER = "order,customer,placed_at,destination.latitude,destination.longitude,sku,quantity,split\n"


class Door:
    """Takes what has no sku `bad`; goes away after so many requests."""

    def __init__(self, *, requests: int = 1_000) -> None:
        self.left = requests
        self.taken: list[Any] = []

    async def ask(self, _method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self.left == 0:
            raise Refused("away")
        self.left -= 1
        told = orjson.loads(body or b"")[path.removeprefix("/v1/").removesuffix(":batch")]
        if len(orjson.dumps(told)) > 400_000:
            return 413, b'{"status": 413, "detail": "too large"}'
        answers: list[dict[str, Any]] = []
        for one in told:
            problem = {"status": 422, "detail": "no", "errors": [{"field": "sku"}]}
            good = one.get("sku") != "bad"
            answers.append({"status": 202} if good else {"status": 422, "problem": problem})
            self.taken += [one] * good
        return 207, orjson.dumps({"items": answers})


def parsed(found: list[Item]) -> list[Any]:
    return [orjson.loads(one.raw) if one.raw is not None else one.reason for one in found]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_rows_with_one_id_are_the_lines_of_one_order(tmp_path: Path) -> None:
    rows = "1,ann,t,41.5,-87,tea,2,\n1,ann,t,41.5,-87,milk,x,false\n2,bob,t,,,tea,1,true\n"
    path = written(tmp_path, "o.csv", "\ufeff" + HEADER + rows)
    first, second = parsed(list(items(path, Kind.ORDERS)))
    assert first == {
        "order": "1",
        "customer": "ann",
        "placed_at": "t",
        "destination": {"latitude": 41.5, "longitude": -87.0},
        "lines": [{"sku": "tea", "quantity": 2}, {"sku": "milk", "quantity": "x", "split": False}],
    }
    assert second["lines"] == [{"sku": "tea", "quantity": 1, "split": True}]
    assert "destination" not in second


ROW = b",ann,t,1,1,tea,2,"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param(
            [b"1" + ROW, b"1,BOB,t,1,1,tea,2,", b"2,\xff,t,1,1,tea,2,"],
            ["row 2 differs from row 1 in customer", "is not UTF-8"],
            id="unlike",
        ),
        pytest.param(
            [b"1" + ROW, b"1" + ROW + b",9", b"1" + ROW, b"2" + ROW],
            ["row 2 has 9 cells, the header 8", "2"],
            id="too-long",
        ),
        pytest.param(
            [b"1" + ROW, ROW, b"2" + ROW, b"3" + ROW],
            [
                "order: is missing",
                "row 2, which may be of it, order: is missing",
                "row 2, which may be of it, order: is missing",
                "3",
            ],
            id="anybodys",
        ),
        pytest.param(
            [b"1" + ROW, b"1" + ROW, b'1,"ann,t,1,1,tea,2,', b"2" + ROW],
            [
                "is no row: unexpected end of data",
                "row 3, which may be of it, is no row: unexpected end of data",
            ],
            id="unclosed",
        ),
    ],
)
def test_an_order_with_a_bad_row_is_refused_as_a_whole(
    tmp_path: Path, rows: list[bytes], found: list[str]
) -> None:
    path = written(tmp_path, "o.csv", HEADER.encode() + b"\n".join(rows) + b"\n")
    told = parsed(list(items(path, Kind.ORDERS)))
    assert [one if isinstance(one, str) else one["order"] for one in told] == found


def test_each_row_is_a_scan(tmp_path: Path) -> None:
    content = "device,sequence,kind,barcode,quantity\ngun,1,count,0036,5\ngun,2,count,0036,0\n"
    found = parsed(list(items(written(tmp_path, "s.csv", content), Kind.SCANS)))
    assert [one["sequence"] for one in found] == [1, 2]
    assert {one["barcode"] for one in found} == {"0036"}


def test_lines_that_are_not_json(tmp_path: Path) -> None:
    long = b'{"a": "' + b"x" * 1_100_000 + b'"}\n'
    path = written(tmp_path, "o.ndjson", b'{"order": 1.0}\n\n{\n' + long + b'{"z": 1}')
    found = list(items(path, Kind.ORDERS))
    assert [one.number for one in found] == [1, 3, 4, 5]
    assert [one.raw for one in found] == [b'{"order": 1.0}', None, None, b'{"z": 1}']
    assert found[-1].done == size_of(path)


def test_parquet_flat_and_nested(tmp_path: Path) -> None:
    at = datetime(2026, 1, 2, 9)  # noqa: DTZ001 - as files have them
    flat, nested = tmp_path / "flat.parquet", tmp_path / "nested.parquet"
    rows = [{"order": 1, "placed_at": at, "hold": None, "sku": 7, "quantity": n} for n in (1, 2)]
    pq.write_table(pa.Table.from_pylist(rows), flat)
    lines = [{"sku": "7", "quantity": 1, "line": None}]
    pq.write_table(pa.Table.from_pylist([{"order": "1", "placed_at": at, "lines": lines}]), nested)
    [from_rows] = parsed(list(items(flat, Kind.ORDERS)))
    assert from_rows == {
        "order": "1",
        "placed_at": at.replace(tzinfo=UTC).isoformat(),
        "lines": [{"sku": "7", "quantity": 1}, {"sku": "7", "quantity": 2}],
    }
    [from_nested] = parsed(list(items(nested, Kind.ORDERS)))
    assert from_nested["lines"] == [{"sku": "7", "quantity": 1}]
    assert (size_of(flat), size_of(nested)) == (2, 1)


def test_files_of_no_known_form(tmp_path: Path) -> None:
    for name in ("o.xlsx", "o.parquet", "o.csv"):
        with pytest.raises(Unreadable):
            list(items(written(tmp_path, name, b""), Kind.ORDERS))


def ledger_of(path: Path, **told: str) -> Ledger:
    return Ledger(path, Kind.SCANS, **{"url": "http://door", "shop": "demo", **told})


async def sent(path: Path, door: Door) -> Ledger:
    ledger = ledger_of(path)
    await send(door, items(path, Kind.SCANS), Kind.SCANS, ledger, lambda _: None)
    return ledger


async def test_what_was_begun_goes_on_where_it_was_answered(tmp_path: Path) -> None:
    count = 3 * ITEMS_AT_ONCE
    bad = {5, ITEMS_AT_ONCE + 1}
    lines = [{"sequence": n, "sku": "bad" if n in bad else "tea"} for n in range(count)]
    path = written(tmp_path, "s.ndjson", b"\n".join(map(orjson.dumps, lines)) + b"\n{")
    first, second = Door(requests=2), Door()
    with pytest.raises(Refused, match="away"):
        await sent(path, first)
    ledger = await sent(path, second)
    assert len(first.taken) + len(second.taken) == count - len(bad)
    assert {one["sequence"] for one in first.taken + second.taken} == set(range(count)) - bad
    progress = ledger.progress
    assert (progress.items, progress.refused, progress.finished) == (count + 1, 3, True)
    refused = [orjson.loads(line) for line in ledger.refused_path.read_bytes().splitlines()]
    assert [one["line"] for one in refused] == [6, ITEMS_AT_ONCE + 2, count + 1]
    assert refused[0]["item"] == lines[5]
    assert refused[0]["errors"] == [{"field": "sku"}]
    assert "not JSON" in refused[2]["reason"]


async def test_what_was_refused_but_not_counted_is_not_told_twice(tmp_path: Path) -> None:
    path = written(tmp_path, "s.ndjson", b'{"sku": "bad"}\n')
    written(tmp_path, "s.ndjson.refused.ndjson", b'{"line": 1}\n{"li')
    ledger = await sent(path, Door())
    assert len(ledger.refused_path.read_bytes().splitlines()) == 1


async def test_one_item_that_is_too_large_does_not_hold_up_the_others(tmp_path: Path) -> None:
    large = {"sku": "tea", "text": "x" * 450_000}
    lines = [{"sku": "tea", "n": 1}, large, {"sku": "tea", "n": 2}]
    path = written(tmp_path, "s.ndjson", b"\n".join(map(orjson.dumps, lines)))
    door = Door()
    ledger = await sent(path, door)
    assert door.taken == [lines[0], lines[2]]
    assert (ledger.progress.accepted, ledger.progress.refused) == (2, 1)


async def test_what_was_begun_is_gone_on_with_as_it_was(tmp_path: Path) -> None:
    """Nothing is passed over that was never sent there: by that content, for that shop."""
    blank = b" " * 2_000_000
    path = written(tmp_path, "s.ndjson", blank + b"\n{}\n")
    await sent(path, Door())
    assert ledger_of(path, url="http://door/").progress.finished
    for told in ({"shop": "other"}, {"url": "http://elsewhere"}):
        with pytest.raises(OtherFile, match=f"with another {next(iter(told))}: remove s.ndjson.in"):
            ledger_of(path, **told)
    written(tmp_path, "s.ndjson", blank + b"\n[]\n")
    with pytest.raises(OtherFile, match="with another digest"):
        ledger_of(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.yaml", "products:\n  - sku: '007'\n    pack_size: 6\n    effective_from: 2026-12-01\n"),
        (
            "c.json",
            '{"products": [{"sku": "007", "pack_size": 6, "effective_from": "2026-12-01"}]}',
        ),
        (
            "c.ndjson",
            '{"kind": "products", "sku": "007", "pack_size": 6, "effective_from": "2026-12-01"}\n',
        ),
        ("products.csv", "sku,pack_size,effective_from,name\n007,6,2026-12-01,\n"),
    ],
)
def test_a_catalogue_in_each_form(tmp_path: Path, name: str, content: str) -> None:
    entities = read_catalogue(written(tmp_path, name, content))
    product = {"sku": "007", "pack_size": 6, "effective_from": "2026-12-01"}
    assert orjson.loads(as_body(entities)) == {"products": [product]}


def test_cells_of_a_catalogue_are_what_their_fields_are(tmp_path: Path) -> None:
    content = (
        "kind,sku,name,barcodes,location,place.latitude,place.longitude\n"
        'products,7,42,"[""036""]",,,\nlocations,,1e3,,n1,41.5,-87\n'
    )
    assert read_catalogue(written(tmp_path, "all.csv", content)) == {
        "products": [{"sku": "7", "name": "42", "barcodes": ["036"]}],
        "locations": [
            {"name": "1e3", "location": "n1", "place": {"latitude": 41.5, "longitude": -87}}
        ],
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.yaml", "products: [\n"),
        ("c.yaml", "- a\n"),
        ("c.json", "{"),
        ("c.json", '{"products": {}}'),
        ("c.ndjson", "[]\n"),
        ("c.ndjson", '{"kind": "cars"}\n'),
        ("c.txt", ""),
    ],
)
def test_a_catalogue_that_cannot_be_read(tmp_path: Path, name: str, content: str) -> None:
    with pytest.raises(Unreadable, match=r"c\."):
        read_catalogue(written(tmp_path, name, content))
