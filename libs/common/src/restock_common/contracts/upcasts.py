"""Old versions of events, made into newer ones as they are read.

When a change would break readers, the event gets a new version, and an entry here says how a body
of the version before becomes one of it. Nothing on a topic is ever rewritten; today's code knows
the newest version alone.
"""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from restock_common.errors import Permanent, plain_field, without_values

Body = dict[str, Any]

_MISREAD = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What a step raises that was given something else than its version says."""


@dataclass(frozen=True, slots=True)
class Upcaster:
    """How a body of one version becomes a body of the next.

    Attributes:
        to: The CloudEvents type that it becomes.
        change: Takes a body and returns the newer one; knows no clock and asks nobody.
    """

    to: str
    change: Callable[[Body], Body]


def _without_content(body: Body) -> Body:
    """Return a dead letter as it is told since it is sealed: it held the record in the clear."""
    told = {name: value for name, value in body.items() if name not in _HELD_BY_DEAD_LETTERS}
    told["reason"] = without_values(body["reason"])
    if body.get("field") is not None:
        told["field"] = plain_field(body["field"])
    return told


_HELD_BY_DEAD_LETTERS = frozenset({"headers", "record_key", "body"})

UPCASTERS: Mapping[str, Upcaster] = {
    "restock.DeadLetter.v1": Upcaster("restock.DeadLetter.v2", _without_content),
}
"""By the CloudEvents type that is read."""


def becomes(
    type_name: str, known: Container[str], upcasters: Mapping[str, Upcaster] = UPCASTERS
) -> str:
    """Return the type that an event is read as: itself, unless steps lead on from it."""
    while type_name not in known and (step := upcasters.get(type_name)) is not None:
        type_name = step.to
    return type_name


def upcast(
    type_name: str, value: bytes, known: Container[str], upcasters: Mapping[str, Upcaster]
) -> tuple[str, bytes]:
    """Return type and body of an event as the first version on its way that is known.

    Args:
        type_name: The CloudEvents type that was read.
        value: The body that was read.
        known: Where the way ends, by type.
        upcasters: The steps; without one for the type, all stays as it was read.

    Raises:
        Permanent: The body is not what its version says.
    """
    end = becomes(type_name, known, upcasters)
    if end == type_name:
        return type_name, value
    read = type_name
    try:
        body = from_json(value)
        while type_name != end:
            step = upcasters[type_name]
            body, type_name = step.change(body), step.to
        return end, to_json(body)
    except _MISREAD as error:
        raise Permanent(f"cannot be read as {read!r}: {error!r}", field="body") from None
