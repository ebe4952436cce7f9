"""A service of two parts, for tests of its life: `python service_process.py PORT [dies|waits]`."""

import asyncio
import sys

from fastapi import FastAPI

from restock_common import telemetry
from restock_common.errors import Transient
from restock_common.runtime import Progress, Service
from restock_common.settings import ServiceSettings


class Part:
    """Says on stdout what happens to it; the first start of the second part fails."""

    def __init__(self, name: str, *, dies: bool = False, waits: bool = False) -> None:
        self.name = name
        self.dies = dies
        self.waits = waits
        self.starts = 0

    async def start(self) -> None:
        """Fail once where the part is the second; wait for ever, if told so."""
        self.starts += 1
        if self.name == "second" and self.starts == 1:
            raise Transient("not there yet")
        if self.waits:
            say(f"wait {self.name}")
            await asyncio.Event().wait()
        say(f"start {self.name}")

    async def stop(self) -> None:
        """Say so."""
        say(f"stop {self.name}")

    def not_ready(self) -> str | None:
        """Be ready."""
        return None

    def dead(self) -> str | None:
        """Die at once, if told so."""
        return f"{self.name} is dead" if self.dies and self.starts else None

    async def progress(self) -> Progress:
        """Report a partition of its own."""
        return Progress({"topic": {self.starts: 7}}, unpublished=1, pending=2)


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main() -> int:
    """Run the service."""

    async def opening() -> None:
        say("open")

    async def closing() -> None:
        say("close")

    parts = [Part("first"), Part("second", dies="dies" in sys.argv, waits="waits" in sys.argv)]
    settings = ServiceSettings(http_port=int(sys.argv[1]))
    telemetry.configure("test", settings)  # logs go to stderr
    return await Service("test", settings, FastAPI(), parts, opening, closing).run()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
