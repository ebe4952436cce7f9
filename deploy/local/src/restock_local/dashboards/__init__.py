"""Grafana's dashboards as code: what is written into deploy/observability/dashboards."""

from restock_local.dashboards.boards import BOARDS
from restock_local.dashboards.grafana import as_json

__all__ = ["BOARDS", "as_json"]
