"""Spans of batches: for what is traced, with a link to each message, and never for nobody."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from restock_common import tracing

ONE = f"00-{1:032x}-{11:016x}-01"
OTHER = f"00-{2:032x}-{22:016x}-01"
UNSAMPLED = f"00-{3:032x}-{33:016x}-00"


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    monkeypatch.setattr(tracing, "_exported", True)
    yield kept
    provider.shutdown()


def linked(span: ReadableSpan) -> list[int]:
    return [link.context.span_id for link in span.links]


def test_a_batch_links_to_its_traced_messages_and_belongs_to_the_first(
    exporter: InMemorySpanExporter,
) -> None:
    tracing.received("t", 0.0, [None, ONE, UNSAMPLED, OTHER, ONE])
    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("receive t", SpanKind.CONSUMER)
    assert linked(span) == [11, 22]
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == (1, 11)
    assert span.attributes is not None
    assert span.attributes["messaging.batch.message_count"] == 5


def test_each_topic_that_was_published_to_has_a_span(exporter: InMemorySpanExporter) -> None:
    tracing.sent(0.0, [("a", ONE), ("b", OTHER), ("a", OTHER), ("c", UNSAMPLED)])
    found = {span.name: linked(span) for span in exporter.get_finished_spans()}
    assert found == {"send a": [11, 22], "send b": [22]}


def test_what_is_not_traced_makes_none(exporter: InMemorySpanExporter) -> None:
    tracing.received("t", 0.0, [None, UNSAMPLED])
    assert exporter.get_finished_spans() == ()


def test_nothing_is_made_for_nobody(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "_exported", False)
    tracing.received("t", 0.0, [ONE])
    tracing.sent(0.0, [("a", ONE)])
    assert exporter.get_finished_spans() == ()
