"""A wrong setting stops the service; the message names the variable and its value."""

import pytest
from pydantic import SecretStr, ValidationError

from restock_common.settings import KafkaSettings, ServiceSettings, explain, read_settings


def complaint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **environment: str
) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        read_settings(ServiceSettings)
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_KAFKA_BOOTSTRAP", "kafka:9092")
    monkeypatch.setenv("RESTOCK_KAFKA_IDEMPOTENT", "false")
    monkeypatch.setenv("RESTOCK_HTTP_PORT", "8123")
    settings = read_settings(ServiceSettings)
    assert (settings.kafka_bootstrap, settings.kafka_idempotent, settings.http_port) == (
        "kafka:9092",
        False,
        8123,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RESTOCK_HTTP_PORT", "eighty"),
        ("RESTOCK_HTTP_PORT", "70000"),
        ("RESTOCK_LOG_LEVEL", "loud"),
        ("RESTOCK_TRACE_RATIO", "1.5"),
        ("RESTOCK_KAFKA_BOOTSTRAP", ""),
        ("RESTOCK_KAFKA_SESSION_TIMEOUT_MS", "10"),
        ("RESTOCK_KAFKA_IDEMPOTENT", "perhaps"),
        ("RESTOCK_KAFKA_SECURITY_PROTOCOL", "TLS"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    shown = complaint(monkeypatch, capsys, **{name: value})
    assert shown.startswith(f"{name}: ")
    assert repr(value) in shown


def test_every_bad_value_has_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = complaint(monkeypatch, capsys, RESTOCK_HTTP_PORT="x", RESTOCK_LOG_LEVEL="loud")
    assert len(shown.splitlines()) == 2


def test_a_secret_is_never_shown() -> None:
    class Needy(ServiceSettings):
        api_keys: int = 0
        database_url: SecretStr = SecretStr("")

    environment = {"RESTOCK_API_KEYS": "hunter2"}
    with pytest.raises(ValidationError) as caught:
        Needy(api_keys="hunter2")
    (line,) = explain(caught.value, environment)
    assert line.startswith("RESTOCK_API_KEYS: ")
    assert "hunter2" not in line
    assert "hunter2" not in repr(ServiceSettings(database_url=SecretStr("hunter2")))


def test_a_missing_value_is_told_as_not_set() -> None:
    class Needy(KafkaSettings):
        shop: str

    with pytest.raises(ValidationError) as caught:
        Needy()
    assert explain(caught.value, {}) == ["RESTOCK_SHOP: Field required; it is not set"]


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        setattr(KafkaSettings(), "kafka_bootstrap", "elsewhere:9092")  # noqa: B010 - mypy sees it too
