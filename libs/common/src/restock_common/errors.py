"""What becomes of an input that fails: it is tried again, or set aside with the reason."""

import math
import re

SHOWN_CHARACTERS = 80
"""Of a longer value the beginning is shown: enough to find it, too little to flood a log."""

JsonScalar = str | int | float | bool | None

_MAX_SAFE_INTEGER = 2**53 - 1  # beyond it JSON readers round (RFC 8259, section 6)
_VALUE = re.compile(r"""['"]|: """)
_PLAIN_NAME = re.compile(r"(header )?[a-z0-9_]{1,40}")


class RestockError(Exception):
    """The base of every error that Restock raises on purpose."""


class Transient(RestockError):
    """The world was not ready (broker, database): the same input may succeed later."""


class Fenced(Transient):
    """Another writer has taken this partition over: stop writing to it."""

    @classmethod
    def taken_over(cls, place: str, *, found: int | None, ours: int) -> "Fenced":
        """Return the error of a writer whose epoch is not the one that was found."""
        return cls(
            f"{place}: another writer has taken it over: its epoch is {found}, ours is {ours}"
        )


class Permanent(RestockError):
    """The input can never be handled: it goes to the dead letters with this reason.

    Args:
        reason: What is wrong, naming the offending value in quotes or after a colon, so that
            `without_values` can leave it out.
        field: The place in the input, such as `lines.0.quantity` or `header ce_id`.
    """

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.reason = reason
        self.field = field


class LogMismatch(RestockError):
    """The database and the log do not belong together: refuse to start and say why."""


class InvariantBroken(RestockError):
    """A bug: a state that cannot be. Stops the partition with an alarm, never a dead letter."""


def shown(value: object) -> JsonScalar:
    """Return a value that can stand in a JSON answer: scalars as they are, long ones cut."""
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= _MAX_SAFE_INTEGER:
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            text = value if isinstance(value, str) else repr(value)
            return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."


def without_values(reason: str) -> str:
    """Return a reason as it may stand in a log: without the values that were found at fault.

    They are quoted, or come after a colon. From the first quotation mark to the last, all goes:
    what stands in between may have marks of its own.
    """
    found = _VALUE.search(reason)
    if found is None or found[0] == ": ":
        return reason[: found.start()] if found else reason
    last = max(reason.rfind("'"), reason.rfind('"'))
    return reason[: found.start()] + "..." + reason[last + 1 :].partition(": ")[0]


def plain_field(field: str) -> str:
    """Return a fault's place as it may stand in a log: senders choose the names of some fields."""
    return ".".join(one if _PLAIN_NAME.fullmatch(one) else "?" for one in field.split("."))
