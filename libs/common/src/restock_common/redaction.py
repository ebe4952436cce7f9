"""What never reaches a log: secrets that are known or look like one, and what is about people.

This is the last line: code does not log such things to begin with.
"""

import logging
import re
import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from pydantic import BaseModel, SecretStr

from restock_common.errors import RestockError, without_values

REDACTED = "[redacted]"

_MIN_SECRET_CHARACTERS = 8
_FIELDS = re.compile(
    r"secret|password|authorization|api[_-]?key|signature|cookie|e?mail|phone|street|address"
    r"|postal_?code|recipient|customer_name|first_name|last_name|body|headers|payload",
    re.IGNORECASE,
)
_PATTERNS = (
    (re.compile(r"\b(rsk_[0-9a-f]{16}_)[0-9a-f]+"), r"\1" + REDACTED),
    (re.compile(r"(://[^\s:/@]*:)[^\s@/]+@"), r"\1" + REDACTED + "@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), r"\1 " + REDACTED),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), REDACTED),
)


class Redactor:
    """Takes secrets and personal data out of what is about to be logged.

    Args:
        secrets: Known secrets; taken out wherever they stand.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted(set(secrets), key=len, reverse=True)
        self._secrets = [one for one in longest_first if len(one) >= _MIN_SECRET_CHARACTERS]

    def text(self, text: str) -> str:
        """Return a text without secrets and mail addresses."""
        for secret in self._secrets:
            text = text.replace(secret, REDACTED)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text

    def value(self, value: Any) -> Any:
        """Return a value for a log: fields of telling names, and secrets in texts, are left out."""
        match value:
            case str():
                return self.text(value)
            case bytes():
                return REDACTED
            case Mapping():
                return {
                    name: REDACTED if _FIELDS.search(str(name)) else self.value(one)
                    for name, one in value.items()
                }
            case list() | tuple():
                return [self.value(one) for one in value]
            case _:
                return value

    def __call__(self, _logger: object, _method: str, event: Any) -> Any:
        """Return a line of structlog; the traceback of an exception is told with it."""
        error = event.pop("exc_info", None)
        if isinstance(error, BaseException):
            event["exception"] = told(error)
        return self.value(event)


class Formatter(logging.Formatter):
    """Writes the lines of libraries that use the standard library's logging.

    Args:
        redactor: Takes out what is not to be read.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(logging.BASIC_FORMAT)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Return a line without what is not to be read."""
        return self._redactor.text(super().format(record))

    def formatException(  # noqa: N802 - the standard library calls it so
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        """Return a traceback without the values that its errors name."""
        return "" if ei[1] is None else told(ei[1])


def told(error: BaseException) -> str:
    """Return a traceback; of errors that are not ours without the values, which may be anything."""
    parts: list[str] = []
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        said = str(following)
        kept = said if isinstance(following, RestockError) else without_values(said)
        frames = "".join(traceback.format_tb(following.__traceback__))
        parts.append(f"{frames}{type(following).__name__}: {kept}")
        following = following.__cause__ or following.__context__
    return "\nfrom\n".join(parts)


def secrets_of(settings: BaseModel) -> list[str]:
    """Return every secret that settings hold, also the single keys of a list of them."""
    found = []
    for value in (getattr(settings, name) for name in type(settings).model_fields):
        if isinstance(value, SecretStr):
            whole = value.get_secret_value()
            pairs = [one.strip() for one in whole.split(",")]
            found += [whole, *pairs, *(one.partition("=")[2].strip() for one in pairs)]
    return found
