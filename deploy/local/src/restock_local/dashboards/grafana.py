"""Dashboards in Grafana's own form, by its foundation SDK."""

from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig as Thresholds
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Lines
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DataSourceRef, Threshold, ThresholdsMode

from restock_local.dashboards.model import Board, Chart

_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_WIDE, _HIGH = 8, 8
_NUMBER_WIDE, _NUMBER_HIGH = 4, 4


def as_json(board: Board) -> str:
    """Return a dashboard as the file that Grafana is provisioned with."""
    dashboard = (
        Dashboard(board.title)
        .uid(f"restock-{board.uid}")
        .tags(["restock"])
        .refresh("30s")
        .time("now-3h", "now")
        .timezone("browser")
        .readonly()
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for title, charts in board.rows.items():
        dashboard = dashboard.with_row(Row(title))
        for chart in charts:
            dashboard = dashboard.with_panel(_panel(chart))
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard.build()) + "\n"


def _panel(chart: Chart) -> Lines | Stat:
    panel: Lines | Stat = _stat(chart) if chart.kind == "number" else _lines()
    panel = panel.title(chart.title).unit(chart.unit).datasource(_SOURCE)
    if chart.about:
        panel = panel.description(chart.about)
    for name, query in chart.queries.items():
        panel = panel.with_target(Dataquery().expr(query).legend_format(name))
    return panel


def _lines() -> Lines:
    legend = VizLegendOptions().display_mode(LegendDisplayMode.LIST)
    legend = legend.placement(LegendPlacement.BOTTOM).show_legend(True)
    return Lines().height(_HIGH).span(_WIDE).min(0).fill_opacity(10).legend(legend)


def _stat(chart: Chart) -> Stat:
    panel = Stat().height(_NUMBER_HIGH).span(_NUMBER_WIDE)
    panel = panel.reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
    if chart.alarm_above is None:
        return panel
    steps = [Threshold(color="green"), Threshold(color="red", value=chart.alarm_above)]
    return panel.thresholds(Thresholds().mode(ThresholdsMode.ABSOLUTE).steps(steps))
