"""Commands that wait in PostgreSQL until whoever makes the reviews has done them."""

from replenisher.domain.orders import OrderCommand
from restock_common.postgres import Database


class PostgresCommands:
    """The commands of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, command: OrderCommand) -> None:
        """Keep a command, once by its id."""
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO order_commands (command, body) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                command.command,
                command.model_dump(mode="json"),
            )

    async def outcome(self, command: str) -> tuple[bool, str | None]:
        """Return whether a command has been done, and why it was refused."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT done, refusal FROM order_commands WHERE command = $1", command
            )
        return (False, None) if row is None else (row["done"], row["refusal"])
