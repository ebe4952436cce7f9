"""Databases beside the ledger's own: copies of it as it was, and an empty one."""

from restock_common.postgres import Database

PATIENCE_S = 900.0


def beside(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return f"{url.rpartition('/')[0]}/{name}"


async def copy(url: str, name: str) -> str:
    """Copy a database that nobody is connected to, file by file; return the copy's URL.

    So tables, indexes and free space of the copy are as they were in the original.
    """
    original = url.rpartition("/")[2]
    server = Database(beside(url, "postgres"), max_connections=1)
    await server.open()
    try:
        async with server.connection() as connection:
            await connection.execute(
                f'CREATE DATABASE "{name}" TEMPLATE "{original}" STRATEGY file_copy',
                timeout=PATIENCE_S,  # type: ignore[call-arg] # asyncpg has it, stores need it not
            )
    finally:
        await server.close()
    return beside(url, name)


async def drop(url: str) -> None:
    """Remove a database."""
    server = Database(beside(url, "postgres"), max_connections=1)
    await server.open()
    try:
        async with server.connection() as connection:
            await connection.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')
    finally:
        await server.close()
