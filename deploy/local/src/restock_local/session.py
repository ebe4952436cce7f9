"""Runs one local session: told to end by Ctrl-C or SIGTERM, it stops what it started, in order."""

import asyncio
import logging
import signal
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog
import uvloop

T = TypeVar("T")


class ToldToEnd(Exception):
    """Ctrl-C or SIGTERM came, and everything that was started has been stopped."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.by_keyboard = number is signal.SIGINT
        self.exit_code = 128 + number


def run_session(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end and return what it returns.

    Raises:
        ToldToEnd: It was told to end and its context managers have been left.
    """
    _log_errors_only()
    told: list[signal.Signals] = []

    async def guarded() -> T:
        task = asyncio.current_task()
        assert task is not None, "asyncio.run runs this as a task"

        def tell(number: signal.Signals) -> None:
            if not told:  # the first one only: stopping in order is under way
                told.append(number)
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, tell, number)
        return await main

    try:
        return uvloop.run(guarded())
    except asyncio.CancelledError:
        if not told:
            raise
        raise ToldToEnd(told[0]) from None


def _log_errors_only() -> None:
    """Keep the libraries' retries off the screen, and all logs off standard output."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
