"""One process: components started in order, HTTP beside them, and an orderly end on SIGTERM."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from restock_common import telemetry, tracing
from restock_common.errors import Transient
from restock_common.runtime.component import Component, Progress
from restock_common.runtime.garbage import collect_less_often
from restock_common.runtime.protocol import ImpatientProtocol
from restock_common.runtime.vitals import Vitals
from restock_common.settings import ServiceSettings

log = structlog.get_logger()

_START_PATIENCE_S = 60.0
_KEEP_ALIVE_S = 75
"""Longer than load balancers (60 s) and clients keep a connection that is idle: where the server is
the first to close it, the next request is lost on its way."""


class Service:
    """Runs an API and its components until told to stop.

    Args:
        name: The service's name.
        settings: Its settings.
        api: Its own routes; health, metrics and progress are added.
        components: Started in this order, stopped in reverse.
        opening: Awaited before the components start (the database, migrations).
        closing: Awaited after they have stopped.
        leaving: Called when the end begins, before answers under way are waited for: ends those
            that have no end of their own.

    Attributes:
        api: All that it serves.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        api: FastAPI,
        components: Sequence[Component],
        opening: Callable[[], Awaitable[object]],
        closing: Callable[[], Awaitable[object]],
        leaving: Callable[[], object] = lambda: None,
    ) -> None:
        self._name = name
        self._settings = settings
        self.api = api
        self._components = (*components, Vitals())
        self._opening = opening
        self._closing = closing
        self._leaving = leaving
        self._starting = True
        self._stopping = False
        self._stop = asyncio.Event()
        self._add_routes()

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT, or until a component dies; return the exit code."""
        if self._settings.dead_letter_keys is None:
            log.warning("dead_letters_hold_nothing", reason="RESTOCK_DEAD_LETTER_KEYS is not set")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        server = _Server(
            uvicorn.Config(
                self.api,
                host=self._settings.http_host,
                port=self._settings.http_port,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=10,
                timeout_keep_alive=_KEEP_ALIVE_S,
                http=ImpatientProtocol,
            )
        )
        serving = asyncio.create_task(server.serve(), name="http")
        code = 0
        try:
            await self._with_patience("opening", self._opening)
            for component in self._components:
                await self._with_patience(type(component).__name__, component.start)
            collect_less_often()
            self._starting = False
            log.info("started", port=self._settings.http_port)
            code = await self._watch(serving)
        except Exception as error:
            if not self._stop.is_set():
                log.error("start_failed", exc_info=error)
                code = 1
        self._stopping = True
        self._leaving()
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        for component in reversed(self._components):
            try:
                await component.stop()
            except Exception as error:
                log.error("stop_failed", component=type(component).__name__, exc_info=error)
                code = code or 1
        await self._closing()
        tracing.flush()
        log.info("stopped", code=code)
        return code

    async def _watch(self, serving: "asyncio.Task[None]") -> int:
        while not self._stop.is_set():
            dead = self._dead()
            if dead or serving.done():
                log.error("component_died", reason=dead or "http")
                return 1
            try:
                async with asyncio.timeout(0.5):
                    await self._stop.wait()
            except TimeoutError:
                continue
        return 0

    async def _with_patience(self, what: str, begin: Callable[[], Awaitable[object]]) -> None:
        """Begin a part, again and again while broker or database are not there yet."""
        deadline = time.monotonic() + _START_PATIENCE_S
        while True:
            try:
                await self._unless_stopped(begin)
            except Transient as error:
                if time.monotonic() > deadline or self._stop.is_set():
                    raise
                log.info("start_retry", part=what, error=str(error))
                await asyncio.sleep(0.3)
            else:
                return

    async def _unless_stopped(self, begin: Callable[[], Awaitable[object]]) -> None:
        """Begin a part, unless the end is asked for first: what it waits for may never come."""
        beginning = asyncio.ensure_future(begin())
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((beginning, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not beginning.done():
                raise Transient("stopped while starting")
            await beginning
        finally:
            for task in (beginning, stopping):
                task.cancel()
            await asyncio.gather(beginning, stopping, return_exceptions=True)

    def _dead(self) -> str | None:
        return next((reason for part in self._components if (reason := part.dead())), None)

    def _not_ready(self) -> str | None:
        if self._stopping or self._stop.is_set():
            return "stopping"
        if self._starting:
            return "starting"
        return next((reason for part in self._components if (reason := part.not_ready())), None)

    def _add_routes(self) -> None:
        api = self.api

        api.add_middleware(_Measured)

        @api.get("/health/live", include_in_schema=False)
        async def live() -> JSONResponse:
            reason = self._dead()
            return JSONResponse({"live": reason is None, "reason": reason}, 503 if reason else 200)

        @api.get("/health/ready", include_in_schema=False)
        async def ready() -> JSONResponse:
            reason = self._not_ready()
            return JSONResponse({"ready": reason is None, "reason": reason}, 503 if reason else 200)

        @api.get("/metrics", include_in_schema=False)
        async def metrics() -> PlainTextResponse:
            return PlainTextResponse(generate_latest(), media_type=CONTENT_TYPE_LATEST)

        @api.get("/v1/progress", include_in_schema=False)
        async def progress() -> JSONResponse:
            total = Progress()
            if not self._starting:
                for component in self._components:
                    total = total.plus(await component.progress())
            return JSONResponse(
                {
                    "service": self._name,
                    "ready": self._not_ready() is None,
                    "offsets": total.offsets,
                    "unpublished": total.unpublished,
                    "pending": total.pending,
                }
            )


@lru_cache(maxsize=1_024)  # to look a label up costs as much as all the rest of it
def _seconds_of(method: str, route: str, status: int) -> Histogram:
    return telemetry.HTTP_SECONDS.labels(method, route, status)


class _Measured:
    """Measures every HTTP request, by the template of its route.

    Plain ASGI: Starlette's `middleware("http")` runs each request in a task of its own, which
    costs more than all the rest of a small request.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how long its answer took."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            _seconds_of(scope["method"], route, status).observe(time.monotonic() - started)


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: the service decides what a signal means."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the service."""
        yield
