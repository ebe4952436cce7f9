"""Demand in, through Faust: the only module that knows it."""

from forecaster.stream.component import SERVICE, Forecaster

__all__ = ["SERVICE", "Forecaster"]
