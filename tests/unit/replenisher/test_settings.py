import pytest

from replenisher.settings import ReplenisherSettings
from restock_common.settings import read_settings


def test_a_wrong_setting_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESTOCK_COVER_DAYS", "-1")
    with pytest.raises(SystemExit) as stopped:
        read_settings(ReplenisherSettings)
    assert stopped.value.code == 2
    assert "RESTOCK_COVER_DAYS" in capsys.readouterr().err


def test_the_policy_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_COVER_DAYS", "14")
    settings = read_settings(ReplenisherSettings)
    assert (settings.cover_days, settings.lead_time_prior_weight) == (14.0, 5.0)
