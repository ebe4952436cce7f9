"""The committed documents: what they should hold, and whether that would break anybody."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from restock_common.contracts import EVENTS, Event
from restock_local.contracts import asyncapi, openapi
from restock_local.contracts.compare import Break, breaks

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[str, dict[str, Any]]:
    """Return every document as the code has it, by its path inside the folder of contracts."""
    return {
        "asyncapi.json": asyncapi.document(),
        **{f"openapi/{name}.json": one for name, one in openapi.documents().items()},
        **{event_path(event): event_schema(event) for event in EVENTS},
    }


def event_path(event: type[Event]) -> str:
    """Return where the schema of an event's version is."""
    return f"events/{event.type_name()}.json"


def event_schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema of an event's body."""
    return {"$schema": _DIALECT, "$id": event.type_name(), **event.model_json_schema()}


def as_text(document: dict[str, Any]) -> str:
    """Return a document as it is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def broken(folder: Path) -> Iterator[tuple[str, Break]]:
    """Yield, with the event's type, what breaks between the committed schemas and the code's."""
    for event in EVENTS:
        committed = folder / event_path(event)
        if committed.exists():
            for one in breaks(json.loads(committed.read_text()), event_schema(event)):
                yield event.type_name(), one


def write(folder: Path) -> list[str]:
    """Write the documents that differ from what is committed; return their paths.

    Schemas of versions that the code has no more stay: records of them are on the topics.
    """
    written = []
    for path, document in documents().items():
        place, text = folder / path, as_text(document)
        if not place.exists() or place.read_text() != text:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
            written.append(path)
    return written
