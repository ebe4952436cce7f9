"""What PostgreSQL servers have in common, whichever way they are run."""

import secrets

from restock_common.postgres import Database
from restock_local.processes import free_port


class LoopbackPostgres:
    """A server on a loopback port of its own, with a password of its own.

    No Unix socket: its path may not exceed 107 bytes, which deep project folders do.
    """

    def __init__(self) -> None:
        self._port = free_port()
        self._password = secrets.token_urlsafe(24)

    async def new_database(self, name: str) -> str:
        """Create an empty database; return its URL."""
        await self._execute(f'CREATE DATABASE "{name}"')
        return self._url(name)

    async def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        """Run a statement as the administrator. Raises Transient where the server is not there."""
        database = Database(self._url("postgres"), max_connections=1)
        try:
            await database.open()
            async with database.connection() as connection:
                await connection.execute(statement)
        finally:
            await database.close()

    def _url(self, name: str) -> str:
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self._port}/{name}"
