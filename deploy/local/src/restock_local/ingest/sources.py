"""Files as items, read piece by piece: memory does not grow with the file."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import orjson
import pyarrow.parquet

from restock_local.ingest.shapes import SHAPES, Broken, Item, Kind, Row, items_of_rows

MAX_LINE_BYTES = 1_000_000
"""The door takes no larger body."""

_ROWS_AT_ONCE = 1_000
_SHOWN_BYTES = 500


class Unreadable(Exception):
    """The file is not what its name says."""


def size_of(path: Path) -> int:
    """Return the file's length in its own measure: bytes, or rows of Parquet."""
    if path.suffix == ".parquet":
        with _parquet(path) as file:
            rows: int = file.metadata.num_rows
            return rows
    return path.stat().st_size


def items(path: Path, kind: Kind) -> Iterator[Item]:
    """Yield what a file holds, in its order. Raises Unreadable.

    Args:
        path: Its name ends in `.ndjson`, `.jsonl`, `.csv` or `.parquet`.
        kind: What it holds.
    """
    match path.suffix:
        case ".ndjson" | ".jsonl":
            yield from _of_lines(path)
        case ".csv":
            yield from items_of_rows(_of_csv(path), kind)
        case ".parquet":
            with _parquet(path) as file:
                if "lines" in file.schema_arrow.names and SHAPES[kind].id is not None:
                    yield from _of_nested(file)
                else:
                    yield from items_of_rows(_of_parquet(file), kind)
        case _:
            raise Unreadable(f"{path.name} ends in none of .ndjson, .jsonl, .csv, .parquet")


def _of_lines(path: Path) -> Iterator[Item]:
    with path.open("rb") as file:
        for number, (line, complete) in enumerate(_lines(file), 1):
            if not line.strip():
                continue
            shown = line[:_SHOWN_BYTES].decode(errors="replace")
            if not complete:
                reason = f"has more than {MAX_LINE_BYTES} bytes"
                yield Item(number, None, reason, shown, file.tell())
                continue
            try:
                orjson.loads(line)
            except orjson.JSONDecodeError as error:
                yield Item(number, None, f"is not JSON: {error}", shown, file.tell())
            else:
                yield Item(number, line.strip(), done=file.tell())


def _lines(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield lines; of one that is too long, its beginning."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        complete = len(line) <= MAX_LINE_BYTES
        rest = line
        while rest and len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES + 1)
        yield line, complete


def _of_csv(path: Path) -> Iterator[tuple[Row | Broken, int]]:
    with path.open("rb") as raw:
        text = (line.decode("utf-8", errors="surrogateescape") for line in raw)
        # Strict: a quotation mark that is never closed would swallow the rows behind it.
        reader = csv.reader(text, strict=True)
        header = next(reader, None)
        if header is None:
            raise Unreadable(f"{path.name} is empty")
        names = [name.strip().removeprefix("\ufeff") for name in header]
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Broken(f"is no row: {error}"), raw.tell()
                continue
            row = {name: cell.strip() for name, cell in zip(names, cells, strict=False)}
            if len(cells) > len(names):
                yield Broken(f"has {len(cells)} cells, the header {len(names)}", row), raw.tell()
            elif cells:
                yield row, raw.tell()


@contextmanager
def _parquet(path: Path) -> Iterator["pyarrow.parquet.ParquetFile"]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{path.name} is not Parquet: {error}") from None
    with file:
        yield file


def _of_parquet(file: "pyarrow.parquet.ParquetFile") -> Iterator[tuple[Row, int]]:
    done = 0
    for batch in file.iter_batches(_ROWS_AT_ONCE):
        for row in batch.to_pylist():
            done += 1
            yield row, done


def _of_nested(file: "pyarrow.parquet.ParquetFile") -> Iterator[Item]:
    for row, done in _of_parquet(file):
        raw = orjson.dumps(_without_nulls(row), option=orjson.OPT_NAIVE_UTC)
        yield Item(done, raw, done=done)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    return value
