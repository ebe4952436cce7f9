"""Spans, by OpenTelemetry's conventions for messaging, and the context that travels in headers.

    POST /v1/orders                      SERVER, the request
      process restock.ledger.v1          CONSUMER, one decision; its events are its children
        process restock.fulfilment.v1    CONSUMER, in another process
      receive restock.ledger.v1          CONSUMER, a batch's transaction: links to its messages
      send restock.stock.v1              PRODUCER, a batch published: links to its messages

An event carries the context of the decision that it follows from, which its journal keeps, so it is
the same however often it is published. A batch belongs to the first traced message in it.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from restock_common.contracts.envelope import Headers, Message
from restock_common.contracts.event import Event
from restock_common.settings import ServiceSettings

LINKS_MAX = 1_000
"""Links of one span: the messages of a batch."""

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("restock")


_exported = False
"""Whether anybody is told: what a batch is made of is not looked at for nobody."""


def configure(service: str, settings: ServiceSettings) -> None:
    """Set up tracing for this process."""
    global _exported  # noqa: PLW0603 - one process, one provider, as in OpenTelemetry itself
    _exported = settings.trace_endpoint is not None
    sampler = ParentBased(TraceIdRatioBased(settings.trace_ratio)) if _exported else ALWAYS_OFF
    provider = TracerProvider(
        sampler=sampler,
        resource=Resource.create({"service.name": f"restock-{service}"}),
        span_limits=SpanLimits(max_links=LINKS_MAX),
    )
    if settings.trace_endpoint is not None:
        provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.trace_endpoint))
        )
    trace.set_tracer_provider(provider)


def flush() -> None:
    """Export the spans that are still held back."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


@contextmanager
def decision_span(message: Message[Event]) -> Iterator[str | None]:
    """Open the span of one decision; yields the traceparent that its events carry."""
    if message.traceparent is None or not _sampled(message.traceparent):
        yield message.traceparent  # the ids travel on, no span is made
        return
    with _span(
        f"process {message.event.topic.name}",
        _context(message.traceparent),
        SpanKind.CONSUMER,
        attributes={
            **_messaging("process", message.event.topic.name),
            "messaging.message.id": message.id,
            "restock.event.type": message.event.type_name(),
        },
    ) as header:
        yield header


def request_span(name: str, incoming: str | None) -> AbstractContextManager[str | None]:
    """Open the span of one HTTP request, by method and route; yields what it publishes under."""
    method, _, route = name.partition(" ")
    return _span(
        name,
        _context(incoming) if incoming else None,
        SpanKind.SERVER,
        {"http.request.method": method, "http.route": route},
    )


def received(topic: str, started: float, traceparents: Iterable[str | None]) -> None:
    """Tell of a batch that was read, decided and committed, begun at a monotonic moment."""
    attributes = _messaging("receive", topic)
    _batch_span(f"receive {topic}", SpanKind.CONSUMER, started, traceparents, attributes)


def sent(started: float, records: Iterable[tuple[str, str | None]]) -> None:
    """Tell of a batch that was published, begun at a monotonic moment.

    Args:
        started: When.
        records: The topic and the traceparent of each.
    """
    if not _exported:
        return
    by_topic: dict[str, list[str | None]] = {}
    for topic, header in records:
        by_topic.setdefault(topic, []).append(header)
    for topic, headers in by_topic.items():
        attributes = _messaging("send", topic)
        _batch_span(f"send {topic}", SpanKind.PRODUCER, started, headers, attributes)


def worked(name: str, started: float, traceparents: Iterable[str | None]) -> None:
    """Tell of work that was done for several messages at once, begun at a monotonic moment."""
    _batch_span(name, SpanKind.INTERNAL, started, traceparents, {})


def traceparent_of(headers: Headers) -> str | None:
    """Return the W3C header of a record."""
    return next((value.decode() for name, value in headers if name == "traceparent"), None)


def traceparent(span: Span | None = None) -> str | None:
    """Return the W3C header of a span (the current one by default); None outside any trace."""
    told = (trace.get_current_span() if span is None else span).get_span_context()
    if not told.is_valid:
        return None
    return f"00-{told.trace_id:032x}-{told.span_id:016x}-{told.trace_flags:02x}"


@contextmanager
def _span(
    name: str,
    context: Context | None,
    kind: SpanKind,
    attributes: Mapping[str, str] | None = None,
) -> Iterator[str | None]:
    """Open a span that tells the kind of an error, and not its words: they may name people.

    It is made current by hand: `start_as_current_span` costs twice as much, on each request.
    """
    span = _tracer.start_span(name, context, kind, attributes)
    token = attach(trace.set_span_in_context(span))
    try:
        yield traceparent(span)
    except Exception as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        detach(token)
        span.end()


def _batch_span(
    name: str,
    kind: SpanKind,
    started: float,
    traceparents: Iterable[str | None],
    attributes: Mapping[str, str],
) -> None:
    """Make the span of what is over, with a link to each traced message; none without any."""
    if not _exported:
        return
    headers = list(traceparents)
    traced = dict.fromkeys(one for one in headers if one is not None and _sampled(one))
    if not traced:
        return
    contexts = [_context(one) for one in traced]
    now = time.time_ns()
    span = _tracer.start_span(
        name,
        contexts[0],
        kind,
        {**attributes, "messaging.batch.message_count": len(headers)},
        [Link(trace.get_current_span(one).get_span_context()) for one in contexts],
        now - round((time.monotonic() - started) * 1e9),
    )
    span.end(now)


def _messaging(operation: str, topic: str) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
    }


def _sampled(header: str) -> bool:
    """Return the sampled bit of the trace flags; other bits (such as random) say nothing of it."""
    return bool(int(header[-2:], 16) & TraceFlags.SAMPLED)


def _context(header: str) -> Context:
    return _propagator.extract({"traceparent": header})
