"""Keys and clocks from the environment."""

import pytest
from pydantic import SecretStr

from order_ingest.settings import Settings, shops_by_key
from restock_common.settings import read_settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESTOCK_API_KEYS", raising=False)
    monkeypatch.setenv("RESTOCK_TOKEN_SECRET", "a secret of thirty-two characters")
    monkeypatch.setenv("RESTOCK_MASTER_KEYS", f"test={'A' * 43}=")
    monkeypatch.setenv("RESTOCK_DEAD_LETTER_KEYS", f"test={'A' * 43}=")


def test_a_shop_may_have_several_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_API_KEYS", "one=aaaaaaaa, two=b=bbbbbb,one=cccccccc")
    shops = shops_by_key(read_settings(Settings).api_keys)
    assert shops == {"aaaaaaaa": "one", "b=bbbbbb": "two", "cccccccc": "one"}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("", "pair 1"),
        ("nokey", "'nokey'"),
        ("one=aaaaaaaa,=bbbbbbbb", "pair 2"),
        ("One=aaaaaaaa", "pair 1"),
        ("a:b=aaaaaaaa", "pair 1"),
        (f"{'s' * 33}=aaaaaaaa", "pair 1"),
        ("one=secret7", "8 or more"),
        ("one=secretsecret,two=secretsecret", "'two' stands there twice"),
    ],
)
def test_wrong_keys_stop_the_start_and_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str, told: str
) -> None:
    monkeypatch.setenv("RESTOCK_API_KEYS", value)
    with pytest.raises(SystemExit) as stopped:
        read_settings(Settings)
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("RESTOCK_API_KEYS: ")
    assert told in said
    assert "secret" not in said


def test_without_keys_there_is_no_door(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(Settings)
    assert "RESTOCK_API_KEYS" in capsys.readouterr().err


@pytest.mark.parametrize(
    "variable", ["RESTOCK_TOKEN_SECRET", "RESTOCK_MASTER_KEYS", "RESTOCK_DEAD_LETTER_KEYS"]
)
def test_without_what_encrypts_there_is_no_door(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    """What came in by a webhook and cannot be taken stands in its dead letter alone."""
    monkeypatch.setenv("RESTOCK_API_KEYS", "one=aaaaaaaa")
    monkeypatch.delenv(variable)
    with pytest.raises(SystemExit):
        read_settings(Settings)
    assert capsys.readouterr().err.startswith(variable)


def test_an_unknown_clock_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESTOCK_API_KEYS", "one=aaaaaaaa")
    monkeypatch.setenv("RESTOCK_CLOCK", "sundial")
    with pytest.raises(SystemExit):
        read_settings(Settings)
    assert "RESTOCK_CLOCK" in (said := capsys.readouterr().err)
    assert "sundial" in said


@pytest.mark.parametrize("url", ["http://host", "mqtt://", "host:1883"])
def test_an_mqtt_url_names_a_broker(url: str) -> None:
    with pytest.raises(ValueError, match="is not mqtt://host or mqtts://host"):
        Settings(api_keys=SecretStr("shop=long-enough"), mqtt_url=SecretStr(url))


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("RESTOCK_TOKEN_SECRET", "secret-and-short", "at least 32"),
        ("RESTOCK_MASTER_KEYS", "secret", "pair 1"),
        ("RESTOCK_MASTER_KEYS", "a=secret", "pair 1"),
        ("RESTOCK_DEAD_LETTER_KEYS", "a=secret", "pair 1"),
    ],
)
def test_what_encrypts_is_checked_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv("RESTOCK_API_KEYS", "one=aaaaaaaa")
    monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit):
        read_settings(Settings)
    said = capsys.readouterr().err
    assert said.startswith(variable)
    assert told in said
    assert "secret" not in said
