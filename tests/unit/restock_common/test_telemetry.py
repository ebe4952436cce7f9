"""Trace context in and out, and metric names."""

from dataclasses import replace

import pytest
from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import REGISTRY
from tests.unit.restock_common.memory import NINE, placed

from restock_common import telemetry, tracing
from restock_common.contracts.envelope import Message

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
UNSAMPLED = f"00-{TRACE_ID}-00f067aa0ba902b7-00"
MESSAGE = Message("m-1", "/test", NINE, placed("o-1", 1))


@pytest.fixture(autouse=True)
def _recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", TracerProvider().get_tracer("test"))


def test_a_decision_stays_in_its_trace_under_a_span_of_its_own() -> None:
    with tracing.decision_span(replace(MESSAGE, traceparent=SAMPLED)) as header:
        assert header is not None
        assert header.split("-")[1] == TRACE_ID
        assert header != SAMPLED


def test_an_unsampled_trace_travels_on() -> None:
    with tracing.decision_span(replace(MESSAGE, traceparent=UNSAMPLED)) as header:
        assert header is not None
        assert header.split("-")[1] == TRACE_ID


def test_a_message_without_a_trace_makes_none() -> None:
    with tracing.decision_span(MESSAGE) as header:
        assert header is None


def test_a_request_goes_on_with_the_callers_trace() -> None:
    with tracing.request_span("POST /v1/orders", SAMPLED) as header:
        assert header is not None
        assert header.split("-")[1] == TRACE_ID


def test_a_request_without_one_begins_a_trace() -> None:
    with tracing.request_span("POST /v1/orders", None) as header:
        assert header is not None
        assert header.split("-")[1] != TRACE_ID


def test_our_metrics_begin_with_our_name() -> None:
    assert telemetry.RECORDS, "the registry is filled by the import"
    ours = [m.name for m in REGISTRY.collect() if not m.name.startswith(("python_", "process_"))]
    assert len(ours) >= 7
    assert [name for name in ours if not name.startswith("restock_")] == []
