"""The forecaster's own metric names; those of every service are in `restock_common.telemetry`."""

from prometheus_client import Counter, Gauge

from forecaster.domain.scorecard import Score

LEARNED_UNTIL = Gauge(
    "restock_forecast_learned_until_timestamp_seconds",
    "Event time up to which a partition's demand has been learned and foretold (Unix time)",
    ["partition"],
)
SCORED = Counter(
    "restock_forecast_scored_days",
    "Forecasts of one day ahead that were compared with what came: a sample, in this process alone",
)
COVERED = Counter(
    "restock_forecast_covered_days",
    "Of the scored ones, those of which the day brought no more than their 0.9 quantile",
)
PROMISED = Counter(
    "restock_forecast_promised_days",
    "Of the scored ones, how many should have been covered: whole units make it more than 0.9",
)
PINBALL = Counter("restock_forecast_pinball_units", "Pinball loss of the scored ones' 0.9 quantile")
ERROR = Counter("restock_forecast_error_units", "Absolute error of the scored ones' mean")
SCORED_UNITS = Counter("restock_forecast_scored_units", "Units that came on the scored days")


def tell(score: Score) -> None:
    """Count what a day's forecasts have cost."""
    SCORED.inc(score.forecasts)
    COVERED.inc(score.covered)
    PROMISED.inc(score.promised)
    PINBALL.inc(score.pinball)
    ERROR.inc(score.absolute_error)
    SCORED_UNITS.inc(score.units)
