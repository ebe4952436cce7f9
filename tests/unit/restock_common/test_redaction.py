"""What never reaches a log, whoever writes the line."""

import json
import logging

import pytest
from pydantic import BaseModel, SecretStr

from restock_common.errors import InvariantBroken
from restock_common.redaction import REDACTED, Formatter, Redactor, secrets_of, told

NAME = "Anna Lovelace"
KEY = f"rsk_0123456789abcdef_{'f' * 64}"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"key {KEY} is not known", f"key rsk_0123456789abcdef_{REDACTED} is not known"),
        ("postgresql://restock:pass:w0rd@db/x", f"postgresql://restock:{REDACTED}@db/x"),
        ("from Anna <anna.l@example.co.uk>!", f"from Anna <{REDACTED}>!"),
        ("Authorization: Bearer abcdefgh.ijk", f"Authorization: Bearer {REDACTED}"),
        ("the word of the day", "the word of the day"),
        ("known is a-secret-of-ours", f"known is {REDACTED}"),
        ("restock.ledger.v1/2 offset 7", "restock.ledger.v1/2 offset 7"),
    ],
)
def test_texts_lose_their_secrets(said: str, left: str) -> None:
    assert Redactor(["a-secret-of-ours", "the"]).text(said) == left


def test_fields_of_telling_names_are_left_out_however_deep() -> None:
    line = {
        "event": "x",
        "api_key": "k",
        "X-API-Key": "k",
        "order": {"recipient": {"name": "Anna"}, "lines": [{"email": "a", "sku": "tea"}]},
        "raw": b"Anna",
        "count": 3,
    }
    assert Redactor()(None, "info", line) == {
        "event": "x",
        "api_key": REDACTED,
        "X-API-Key": REDACTED,
        "order": {"recipient": REDACTED, "lines": [{"email": REDACTED, "sku": "tea"}]},
        "raw": REDACTED,
        "count": 3,
    }


def fail(name: str) -> None:
    try:
        json.loads("{" + name)
    except ValueError as error:
        raise KeyError(name) from error


def failure() -> KeyError:
    with pytest.raises(KeyError) as caught:
        fail(NAME)
    return caught.value


def test_a_traceback_tells_where_and_not_what() -> None:
    line = Redactor()(None, "error", {"event": "halted", "exc_info": failure()})
    assert "in fail" in line["exception"]
    assert "KeyError: ..." in line["exception"]
    assert "JSONDecodeError: Expecting property name" in line["exception"]
    assert "Lovelace" not in told(failure())


def test_what_we_say_ourselves_of_a_broken_invariant_is_told() -> None:
    assert told(InvariantBroken("order 'shop:1' has -1 units")).endswith(
        "order 'shop:1' has -1 units"
    )


def test_libraries_lines_are_redacted_too() -> None:
    record = logging.LogRecord("uvicorn", logging.ERROR, "x", 1, "bad %s", (KEY,), None)
    assert KEY not in Formatter(Redactor()).format(record)
    error = failure()
    info = (KeyError, error, error.__traceback__)
    record = logging.LogRecord("uvicorn", logging.ERROR, "x", 1, "failed", (), info)
    said = Formatter(Redactor()).format(record)
    assert "in fail" in said
    assert "Lovelace" not in said


def test_secrets_of_settings_are_known() -> None:
    class Some(BaseModel):
        keys: SecretStr = SecretStr("shop=abcdefgh, other=ijklmnop=")
        word: SecretStr | None = None
        port: int = 1

    redactor = Redactor(secrets_of(Some()))
    assert redactor.text("got abcdefgh and ijklmnop=") == f"got {REDACTED} and {REDACTED}"
