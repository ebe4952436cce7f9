"""Wires a service: streams in, journal out, health, readiness, metrics, and an orderly end."""

from restock_common.runtime.background import Background
from restock_common.runtime.catalogue import CatalogueReader
from restock_common.runtime.component import Component, Progress
from restock_common.runtime.service import Service
from restock_common.runtime.stream import Stream
from restock_common.runtime.watch import Watch

__all__ = ["Background", "CatalogueReader", "Component", "Progress", "Service", "Stream", "Watch"]
