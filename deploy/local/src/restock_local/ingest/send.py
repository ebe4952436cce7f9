"""From items to answers: batches through the door, and what became of each item."""

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from itertools import islice
from typing import Any, Protocol

import orjson

from restock_local.demo.door import MAX_BODY_BYTES, Refused
from restock_local.ingest.progress import Ledger
from restock_local.ingest.shapes import Item, Kind

ITEMS_AT_ONCE = 500

_TAKEN = {HTTPStatus.ACCEPTED, HTTPStatus.MULTI_STATUS}
_NOBODY = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


class Asked(Protocol):
    """What answers for good; `demo.door.Door`."""

    async def ask(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Send a request until it is answered; return the status and the answer's body."""


async def send(
    door: Asked, items: Iterator[Item], kind: Kind, ledger: Ledger, tell: Callable[[int], object]
) -> None:
    """Send what has no answer yet, and keep each batch's answers before the next one.

    Args:
        door: Order-ingest's.
        items: All of the file; those that were answered before are passed over.
        kind: What they are.
        ledger: What is known of the file.
        tell: Told how far the file has been read.

    Raises:
        Refused: The door takes nothing from us, or was away for too long.
    """
    for batch in _batches(islice(items, ledger.progress.items, None)):
        problems = await _ask(door, kind, [one for one in batch if one.raw is not None])
        refused = []
        for item in batch:
            problem = problems.get(item.number) if item.raw is not None else None
            if item.raw is None:
                refused.append({"line": item.number, "reason": item.reason, "text": item.shown})
            elif problem is not None:
                told = {"line": item.number, **_reasons(problem)}
                refused.append({**told, "item": orjson.Fragment(item.raw)})
        ledger.note(accepted=len(batch) - len(refused), refused=refused)
        tell(batch[-1].done)
    ledger.finish()


async def _ask(door: Asked, kind: Kind, items: Sequence[Item]) -> dict[int, dict[str, Any]]:
    """Send items as one batch; return the problems of those that are refused, by number."""
    if not items:
        return {}
    body = b'{"%s":[%s]}' % (kind.value.encode(), b",".join(one.raw or b"" for one in items))
    status, told = await door.ask("POST", f"/v1/{kind}:batch", body)
    answer = orjson.loads(told)
    if status in _TAKEN:
        answers = zip(items, answer["items"], strict=True)
        return {item.number: one["problem"] for item, one in answers if "problem" in one}
    if status in _NOBODY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Refused(f"{status} {answer.get('detail', '')}")
    if len(items) == 1:
        return {items[0].number: answer}
    half = len(items) // 2  # the batch as a whole is at fault: which of its items is?
    return {**await _ask(door, kind, items[:half]), **await _ask(door, kind, items[half:])}


def _reasons(problem: dict[str, Any]) -> dict[str, Any]:
    told = {"status": problem["status"], "reason": problem["detail"]}
    return {**told, "errors": problem["errors"]} if "errors" in problem else told


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        length = len(item.raw or b"")
        if batch and (len(batch) == ITEMS_AT_ONCE or size + length > MAX_BODY_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length + 1
    if batch:
        yield batch
