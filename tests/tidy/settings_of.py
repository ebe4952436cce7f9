"""Every environment variable of every service, read from the settings themselves."""

import inspect
import json
import re
from dataclasses import dataclass
from importlib import import_module

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from restock_common.settings import ENV_PREFIX, ServiceSettings


@dataclass(frozen=True)
class Variable:
    """One environment variable.

    Attributes:
        default: As it would be written in the environment; empty where there is none.
        meaning: What the class's docstring says of it.
        required: Whether the service does not start without it.
        own: Whether only this service reads it.
    """

    default: str
    meaning: str
    required: bool
    own: bool


def settings_of(service: str) -> type[ServiceSettings]:
    """Return the one settings class of a service."""
    module = import_module(f"{service.replace('-', '_')}.settings")
    (found,) = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ServiceSettings) and kind.__module__ == module.__name__
    ]
    assert issubclass(found, ServiceSettings)
    return found


def variables_of(service: str) -> dict[str, Variable]:
    """Return a service's variables by name."""
    return variables(settings_of(service))


def variables(kind: type[ServiceSettings]) -> dict[str, Variable]:
    """Return the variables of a settings class by name."""
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        meanings |= _attributes(base.__doc__ or "")
    return {
        ENV_PREFIX + name.upper(): Variable(
            default=_default(field),
            meaning=meanings.get(name, ""),
            required=field.is_required(),
            own=name not in ServiceSettings.model_fields,
        )
        for name, field in kind.model_fields.items()
    }


def _attributes(docstring: str) -> dict[str, str]:
    """Return what a Google-style docstring says of each attribute, on one line each."""
    _, _, section = inspect.cleandoc(docstring).partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if field.is_required() or value is None:
        return ""
    if isinstance(value, tuple | dict):
        return json.dumps(value)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return str(value).lower() if isinstance(value, bool) else str(value)
