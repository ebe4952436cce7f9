"""A network that says nothing for a while: connections stay, and no answer comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Network:
    """Passes bytes on in both directions, as long as it is let.

    Attributes:
        speaks: Cleared, it keeps what it is given.
    """

    def __init__(self) -> None:
        self.speaks = asyncio.Event()
        self.speaks.set()
        self._ways: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Forget what was not passed on."""
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)

    async def join(
        self, near: tuple[asyncio.StreamReader, asyncio.StreamWriter], host: str, port: int
    ) -> None:
        """Lead a connection on to where it wants to go."""
        far = await asyncio.open_connection(host, port)
        for source, target in ((near[0], far[1]), (far[0], near[1])):
            self._ways.add(asyncio.create_task(self._pass(source, target)))

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while some := await source.read(65_536):
            await self.speaks.wait()
            target.write(some)
        target.close()


@asynccontextmanager
async def network_to(url: str) -> AsyncIterator[tuple[Network, str]]:
    """Stand between a client and the server of a URL; yield the URL that the client takes."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    network = Network()
    server = await asyncio.start_server(
        lambda reader, writer: network.join((reader, writer), host, port), "127.0.0.1"
    )
    own = server.sockets[0].getsockname()[1]
    account = parts.netloc.rpartition("@")[0]
    yield network, parts._replace(netloc=f"{account}@127.0.0.1:{own}").geturl()
    server.close()
    await network.stop()
