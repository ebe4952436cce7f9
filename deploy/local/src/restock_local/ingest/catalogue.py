"""A file of master data as the one body that the door checks as a whole."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import orjson
from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from order_ingest.domain.requests import KINDS
from restock_local.ingest.shapes import nested
from restock_local.ingest.sources import Unreadable

_KIND = "kind"


def read_catalogue(path: Path) -> dict[str, list[Any]]:
    """Return the entities of a file by kind. Raises Unreadable.

    Args:
        path: YAML or JSON: lists by kind (`products:`). NDJSON or CSV: `kind` tells each line's;
            without it, the file's name does (`products.csv`).
    """
    try:
        match path.suffix:
            case ".yaml" | ".yml":
                whole = YAML(typ="safe", pure=True).load(path)
            case ".json":
                whole = orjson.loads(path.read_bytes())
            case ".ndjson" | ".jsonl":
                return _by_kind(_of_lines(path), path)
            case ".csv":
                return _by_kind(_of_csv(path), path)
            case _:
                raise Unreadable(f"{path.name} ends in none of .yaml, .json, .ndjson, .csv")
    except (orjson.JSONDecodeError, YAMLError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{path.name}: {error}") from None
    if not isinstance(whole, dict) or not all(isinstance(some, list) for some in whole.values()):
        raise Unreadable(f"{path.name} does not hold lists by kind: {', '.join(KINDS)}")
    return whole


def as_body(entities: Mapping[str, Any]) -> bytes:
    """Return what the door is sent; YAML's days are days in JSON too."""
    return orjson.dumps(entities, default=_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _of_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                value = orjson.loads(line)
                if not isinstance(value, dict):
                    raise Unreadable(f"{path.name}, line {number} is not an object")
                yield value


def _of_csv(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), 1):
            if None in row:
                raise Unreadable(f"{path.name}, row {number} has more cells than the header")
            kind = row.get(_KIND) or path.stem
            cells = {name: cell for name, cell in row.items() if cell not in {None, ""}}
            yield nested({name: _cell(kind, name, cell) for name, cell in cells.items()})


def _by_kind(entities: Iterator[dict[str, Any]], path: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for number, entity in enumerate(entities, 1):
        kind = entity.pop(_KIND, path.stem)
        if kind not in KINDS:
            told = f"{path.name}, entity {number}: {kind!r} is none of {', '.join(KINDS)}"
            raise Unreadable(told)
        found.setdefault(kind, []).append(entity)
    return found


def _cell(kind: str, name: str, cell: str) -> Any:
    """Return a cell as its field takes it: a text that is one stays, anything else is JSON."""
    adapter = _adapter(kind, name)
    if adapter is not None:
        try:
            adapter.validate_json(orjson.dumps(cell), strict=True)
        except ValidationError:
            pass
        else:
            return cell
    elif name == _KIND:
        return cell
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell


@lru_cache(maxsize=1_000)
def _adapter(kind: str, name: str) -> TypeAdapter[Any] | None:
    model = KINDS.get(kind)
    field = None if model is None else model.model_fields.get(name)
    return None if field is None else TypeAdapter(cast("Any", field.annotation))
