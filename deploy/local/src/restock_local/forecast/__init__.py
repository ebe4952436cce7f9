"""`restock forecast`: looks at what the forecaster expects."""

from restock_local.forecast.command import app

__all__ = ["app"]
