"""The dashboards of the services that decide."""

from restock_local.dashboards.model import Board, Chart, durations, number, rate

_SERVICE = 'service="%s"'


def _busy(service: str) -> Chart:
    """Return the share of a process's time that its batches take: at 1 it is saturated."""
    where = _SERVICE % service
    return Chart(
        "Busy with batches",
        {"{{topic}}": rate("restock_batch_seconds_sum", "topic", where)},
        "percentunit",
        "At 1 a partition is worked on without a pause: add partitions or replicas.",
    )


LEDGER = Board(
    "stock-ledger",
    "Restock / Stock ledger",
    {
        "The books": (
            number("Oversold units", "sum(restock_ledger_oversold_units)", alarm_above=1),
            number("Drifts", "sum(max by (shard) (restock_ledger_drifts))", alarm_above=1),
            number(
                "Sum of all accounts",
                "sum(abs(max by (shard) (restock_ledger_accounts_sum_units)))",
                alarm_above=1,
            ),
            number(
                "Balances below 0",
                "sum(max by (shard) (restock_ledger_negative_balances))",
                alarm_above=1,
            ),
            number(
                "Last compared",
                "max(time() - max by (shard) (restock_ledger_audited_timestamp_seconds))",
                "s",
            ),
            number("Units oversold by shard", "max(restock_ledger_oversold_units)"),
        ),
        "What it decides": (
            Chart(
                "Pieces a second",
                {
                    "reserved": rate("restock_ledger_reservations_total"),
                    "backordered": rate("restock_ledger_backorders_total"),
                    "offered to another pool": rate("restock_ledger_offers_total"),
                },
                "ops",
            ),
            Chart(
                "Events taken",
                {
                    "{{outcome}}": rate(
                        "restock_records_total", "outcome", _SERVICE % "stock-ledger"
                    )
                },
                "ops",
            ),
            Chart(
                "Had been decided before",
                {"all": rate("restock_ledger_duplicates_total")},
                "ops",
            ),
        ),
        "How it works": (
            Chart("Batches", durations("restock_batch_seconds", "topic"), "s"),
            _busy("stock-ledger"),
            Chart(
                "Live feed and webhooks",
                {
                    "clients": "sum(restock_feed_clients)",
                    "webhooks failed a second": rate(
                        "restock_webhook_attempts_total", "", 'outcome="failed"'
                    ),
                },
            ),
        ),
    },
)

FORECASTER = Board(
    "forecaster",
    "Restock / Forecaster",
    {
        "How good forecasts are": (
            Chart(
                "Coverage of the 0.9 quantile, of a week's days",
                {
                    "covered": "sum(increase(restock_forecast_covered_days_total[7d]))"
                    " / sum(increase(restock_forecast_scored_days_total[7d]))",
                    "promised": "sum(increase(restock_forecast_promised_days_total[7d]))"
                    " / sum(increase(restock_forecast_scored_days_total[7d]))",
                },
                "percentunit",
                "Covered below promised: forecasts are too narrow, and shelves run empty.",
            ),
            Chart(
                "Loss an asked unit",
                {
                    "pinball at 0.9": "sum(increase(restock_forecast_pinball_units_total[7d]))"
                    " / sum(increase(restock_forecast_scored_units_total[7d]))",
                    "absolute error (WAPE)": "sum(increase(restock_forecast_error_units_total[7d]))"
                    " / sum(increase(restock_forecast_scored_units_total[7d]))",
                },
                "percentunit",
            ),
            Chart(
                "Overrides' absolute error",
                {"{{of}}": "sum by (of) (restock_override_error_units_total) or vector(0)"},
                about="Of planners, and of the model in their place.",
            ),
        ),
        "How it works": (
            Chart(
                "Age of what was learned",
                {
                    "partition {{partition}}": "time() - max by (partition)"
                    " (restock_forecast_learned_until_timestamp_seconds)"
                },
                "s",
                "A day and what the close takes; more is stale. In a replay it is long ago.",
            ),
            Chart("Forecasts a second", {"published": rate("restock_forecasts_total")}, "ops"),
            Chart("Closing days", durations("restock_day_close_seconds"), "s"),
            Chart("Checkpoints", durations("restock_checkpoint_seconds"), "s"),
            Chart(
                "Demand that was not learned from",
                {"all": rate("restock_refused_demand_records_total")},
                "ops",
            ),
            Chart(
                "Partitions taken up, by where their state came from",
                {"{{from}}": "sum by (from) (restock_restored_partitions_total)"},
            ),
        ),
    },
)

REPLENISHER = Board(
    "replenisher",
    "Restock / Replenisher",
    {
        "Supply": (
            number("Stock cover", "max(restock_stock_cover_days)", "d"),
            number("Places of less than a day", "max(restock_stock_cover_short_places)"),
            number("Units on order", "max(restock_on_order_units)"),
            number("Open purchase orders", "max(restock_purchase_orders_open)"),
            number("Late purchase orders", "max(restock_purchase_orders_late)", alarm_above=1),
            number("The latest is over by", "max(restock_purchase_order_latest_days)", "d"),
        ),
        "What it decides": (
            Chart(
                "Purchase orders a second", {"all": rate("restock_purchase_orders_total")}, "ops"
            ),
            Chart("Needs", {"{{state}}": "max by (state) (restock_needs)"}),
            Chart(
                "Receipts of orders that were never placed",
                {"all": rate("restock_unmatched_receipts_total")},
                "ops",
            ),
        ),
        "How it works": (
            Chart("Reviews", durations("restock_review_seconds"), "s"),
            _busy("replenisher"),
            Chart(
                "Events taken",
                {"{{topic}}": rate("restock_records_total", "topic", _SERVICE % "replenisher")},
                "ops",
            ),
        ),
    },
)

DISPATCHER = Board(
    "dispatcher",
    "Restock / Dispatcher",
    {
        "Routes": (
            number("Waves without a plan", "max(restock_waves_due)"),
            number(
                "Cost a parcel, last day",
                "sum(increase(restock_route_planned_cost_total[1d]))"
                " / sum(increase(restock_route_stops_planned_total[1d]))",
            ),
            number(
                "Kilometres a parcel, last day",
                "sum(increase(restock_route_planned_km_total[1d]))"
                " / sum(increase(restock_route_stops_planned_total[1d]))",
                "lengthkm",
            ),
            number("Left out, last day", "sum(increase(restock_shipments_unserved_total[1d]))"),
        ),
        "What it decides": (
            Chart("Routes a second", {"planned": rate("restock_routes_planned_total")}, "ops"),
            Chart(
                "Parcels a second",
                {
                    "on a route": rate("restock_route_stops_planned_total"),
                    "left out": rate("restock_shipments_unserved_total"),
                },
                "ops",
            ),
            Chart(
                "Plans",
                {"{{outcome}}": rate("restock_waves_total", "outcome")},
                "ops",
                "Stale ones were made for shipments that had changed meanwhile.",
            ),
        ),
        "How it works": (
            Chart("Searches", durations("restock_solve_seconds"), "s"),
            _busy("dispatcher"),
            Chart(
                "Events taken",
                {"{{outcome}}": rate("restock_records_total", "outcome", _SERVICE % "dispatcher")},
                "ops",
            ),
        ),
    },
)
