"""The names that a query can have, of what the code registers."""

from importlib import import_module

from prometheus_client import REGISTRY
from tests.tidy.repository import SERVICES

_SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
_OF_OTHERS = frozenset({"up", "process_cpu_seconds_total", "process_resident_memory_bytes"})


def known_metrics() -> frozenset[str]:
    """Return every series' name, with what Prometheus and its client have of themselves."""
    import_module("restock_common.telemetry")
    for service in SERVICES:
        if service != "order-ingest":  # its own are among those of all
            import_module(f"{service.replace('-', '_')}.telemetry")
    ours = (one for one in REGISTRY.collect() if one.name.startswith("restock_"))
    names = (one.name + suffix for one in ours for suffix in _SUFFIXES.get(one.type, [""]))
    return _OF_OTHERS.union(names)
