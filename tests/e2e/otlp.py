"""A receiver of traces, as a collector is one: OTLP over HTTP."""

import asyncio
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class SpanTold:
    """A span as it was exported; ids in hexadecimal."""

    service: str
    name: str
    kind: int
    trace: str
    span: str
    parent: str
    links: frozenset[str]
    attributes: dict[str, Any] = field(hash=False)


class Receiver:
    """Keeps the spans that are exported to it."""

    def __init__(self) -> None:
        self.spans: list[SpanTold] = []
        self._runner: web.AppRunner | None = None
        self.endpoint = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.endpoint = f"http://{host}:{port}/v1/traces"
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        assert self._runner is not None
        await asyncio.shield(self._runner.cleanup())

    def of(self, trace: str) -> list[SpanTold]:
        return [span for span in self.spans if span.trace == trace]

    async def _take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [_span(names["service.name"], one) for one in scope.spans]
        return web.Response(body=b"", content_type="application/x-protobuf")


def _span(service: str, one: Any) -> SpanTold:
    return SpanTold(
        service=service.removeprefix("restock-"),
        name=one.name,
        kind=one.kind,
        trace=one.trace_id.hex(),
        span=one.span_id.hex(),
        parent=one.parent_span_id.hex(),
        links=frozenset(link.span_id.hex() for link in one.links),
        attributes={
            each.key: each.value.string_value or each.value.int_value for each in one.attributes
        },
    )
