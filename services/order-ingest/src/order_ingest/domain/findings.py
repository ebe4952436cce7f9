"""What is wrong with an input: the field, the value and the reason, for people and for programs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from restock_common.errors import SHOWN_CHARACTERS, JsonScalar, Permanent, shown


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        field: Its place in the input, such as `lines.0.sku`; `body` for the whole.
        reason: What is wrong with it.
        value: What stands there, cut where it is long; None where nothing does.
        missing: It names what is not in the catalogue: that may have been told and not be seen yet.
    """

    field: str
    reason: str
    value: JsonScalar = None
    missing: bool = False


def not_in_catalogue(field: str, name: str) -> Finding:
    """Return what is wrong where something is named that the catalogue has not."""
    return Finding(field, "is not in the catalogue", shown(name), missing=True)


class Refused(Permanent):
    """The input can never be accepted as it is.

    Args:
        findings: What is wrong, at least one.
        malformed: It is not even JSON, so that no field can be named.

    Attributes:
        findings: What is wrong.
        malformed: See above.
        missing: Whether it would be right once the catalogue has what it names.
    """

    def __init__(self, findings: Sequence[Finding], *, malformed: bool = False) -> None:
        first = findings[0]
        value = "" if first.value is None else f": {first.value!r}"
        more = f" (+{len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{first.reason}{value}{more}", field=first.field)
        self.findings = tuple(findings)
        self.missing = all(one.missing for one in findings)
        self.malformed = malformed

    def without_values(self) -> "Refused":
        """Return the same of an input that holds secrets: what stands there is not told."""
        findings = [replace(found, value=None) for found in self.findings]
        return Refused(findings, malformed=self.malformed)


class Unknown(Permanent):
    """What is spoken of by its id has never been taken here."""


class Forbidden(Permanent):
    """Whoever asks is known, and may not do this."""


class Conflict(Permanent):
    """The same id was taken before with other content, and stays what it was."""


def refused(error: ValidationError) -> Refused:
    """Return a failed validation as a refusal that names every field."""
    details = findings_of(error)
    findings = [
        Finding(
            field=".".join(map(str, detail["loc"])) or "body",
            reason=detail["msg"].removeprefix("Value error, "),
            value=None if detail["type"] == "missing" else shown(_as_sent(detail["input"])),
        )
        for detail in details
    ]
    return Refused(findings, malformed=details[0]["type"] == "json_invalid")


def _as_sent(value: object) -> object:
    """Return a body as its sender knows it, no further than it is shown."""
    if isinstance(value, bytes):
        return value[: SHOWN_CHARACTERS + 1].decode(errors="backslashreplace")
    return value


def findings_of(error: ValidationError) -> list[ErrorDetails]:
    """Return what pydantic found, without what only follows from it.

    Items that do not validate are not counted, so that a list of one bad item is "too short" as
    well; that is left out where an item of the list is found fault with.
    """
    details = error.errors(include_url=False, include_context=False)
    inside = {detail["loc"][:end] for detail in details for end in range(len(detail["loc"]))}
    return [
        detail for detail in details if detail["type"] != "too_short" or detail["loc"] not in inside
    ]
