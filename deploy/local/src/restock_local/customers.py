"""`restock customers`: brings the customers' keys under another master key."""

import sys
from typing import Annotated

import typer
from rich.console import Console

from restock_common.errors import RestockError
from restock_common.postgres import Database
from restock_common.sealing import Seal, parse_keys
from restock_local.session import ToldToEnd, run_session

FAILED = 2

app = typer.Typer(help="Look after what is known of customers.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `rewrap` a command of its own: a group of one command would be that command."""


@app.command("rewrap")
def rewrap_command(
    database_url: Annotated[
        str,
        typer.Option(
            envvar="RESTOCK_DATABASE_URL", show_envvar=True, help="order-ingest's database."
        ),
    ],
    master_keys: Annotated[
        str,
        typer.Option(
            envvar="RESTOCK_MASTER_KEYS",
            show_envvar=True,
            help="The new master key in front, and behind it those that are in use.",
        ),
    ],
) -> None:
    """Encrypt customers' keys and shops' secrets with the first master key.

    The service may be running.

    The other master keys can be destroyed afterwards, and with them what older backups hold.
    """
    from order_ingest.store import PostgresRecipients, PostgresShopBook

    async def rewrap() -> int:
        master = Seal(parse_keys(master_keys))
        recipients, shops = PostgresRecipients(master), PostgresShopBook(master)
        database = Database(database_url, max_connections=1)
        await database.open()
        try:
            total = 0
            async with database.transaction() as connection:
                await shops.reseal(connection)
            while True:
                async with database.transaction() as connection:
                    done = await recipients.rewrap(connection)
                total += done
                if not done:
                    return total
        finally:
            await database.close()

    try:
        total = run_session(rewrap())
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except (RestockError, ValueError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None
    sys.stdout.write(f"{total} customers' keys are under another master key now\n")
