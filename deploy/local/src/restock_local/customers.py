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
    """Encrypt with the first master key what others have encrypted.

    That is customers' keys, shops' secrets, answers and what waits. The service may be running.

    The other master keys can be destroyed afterwards, and with them what older backups hold.
    """
    from order_ingest.store import rewrap

    async def run() -> dict[str, int]:
        master = Seal(parse_keys(master_keys))
        database = Database(database_url, max_connections=1)
        await database.open()
        try:
            return await rewrap(database, master)
        finally:
            await database.close()

    try:
        done = run_session(run())
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except (RestockError, ValueError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None
    what = ", ".join(f"{number} {name}" for name, number in done.items())
    sys.stdout.write(f"{what} are under another master key now\n")
