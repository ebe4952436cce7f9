"""`restock keys`: makes, lists, rotates and ends API keys, in order-ingest's database."""

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from restock_common.contracts.envelope import as_permanent
from restock_common.errors import RestockError
from restock_common.postgres import Database
from restock_local.session import ToldToEnd, run_session

if TYPE_CHECKING:
    from order_ingest.domain.keys import ApiKey
    from order_ingest.handlers import Keys

T = TypeVar("T")

FAILED = 2
_FILE_WIDTH = 160

app = typer.Typer(help="Look after the API keys of order-ingest.", no_args_is_help=True)

DatabaseUrl = Annotated[
    str,
    typer.Option(envvar="RESTOCK_DATABASE_URL", show_envvar=True, help="order-ingest's database."),
]
KeyId = Annotated[str, typer.Argument(help="The id, which stands in the key: rsk_ID_...")]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


@app.command("create")
def create_command(
    database_url: DatabaseUrl,
    shop: Annotated[str, typer.Option(help="Whose key it is.")],
    name: Annotated[str, typer.Option(help="What it is for, in words.")],
    action: Annotated[list[str], typer.Option(help="What it is good for; several times.")],
    ends_at: Annotated[
        datetime | None, typer.Option(help="From then on it is good for nothing; UTC.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it: it is never shown again."""
    from order_ingest.domain.requests import KeyRequest
    from order_ingest.settings import check_shop

    end = None if ends_at is None else ends_at.replace(tzinfo=ends_at.tzinfo or UTC)

    async def create(keys: "Keys") -> "tuple[str, ApiKey]":
        check_shop(shop)
        asked = {"name": name, "actions": action, "ends_at": end}
        return await keys.issue(shop, KeyRequest.model_validate(asked), by=None)

    _show_new(*_use(create, database_url), as_json=as_json)


@app.command("list")
def list_command(
    database_url: DatabaseUrl,
    shop: Annotated[str | None, typer.Option(help="Only this one's.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the keys without their secrets, the newest first, those that have ended too."""
    found = _use(lambda keys: keys.all(shop), database_url)
    if as_json:
        _write([_told(key) for key in found])
        return
    table = Table("id", "shop", "name", "good for", "made", "ends", "last used")
    for key in found:
        moments = [key.created_at, key.ends_at, key.last_used_at]
        shown = ["" if one is None else f"{one:%Y-%m-%d %H:%M}" for one in moments]
        table.add_row(key.id, key.shop, key.name, ", ".join(sorted(key.actions)), *shown)
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(table, markup=False)


@app.command("rotate")
def rotate_command(
    key_id: KeyId,
    database_url: DatabaseUrl,
    overlap_hours: Annotated[
        float, typer.Option(min=0, max=24 * 30, help="How long the old key is still good.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Make the key that follows another one, which ends after the overlap."""
    overlap = timedelta(hours=overlap_hours)
    new = _use(lambda keys: keys.rotate(key_id, overlap, by=None), database_url)
    _show_new(*new, as_json=as_json)


@app.command("revoke")
def revoke_command(key_id: KeyId, database_url: DatabaseUrl) -> None:
    """End a key now."""
    _use(lambda keys: keys.revoke(key_id, by=None), database_url)
    sys.stdout.write(f"{key_id} has ended\n")


def _use(use: "Callable[[Keys], Awaitable[T]]", database_url: str) -> T:
    """Open the database and use the keys, or end with a code that says that it cannot be done."""
    from order_ingest.handlers import Keys
    from order_ingest.store import PostgresKeys

    async def main() -> T:
        database = Database(database_url, max_connections=1)
        await database.open()
        try:
            await database.migrate(["restock_common", "order_ingest"])
            return await use(Keys(database, PostgresKeys(), {}, cache_s=1))
        finally:
            await database.close()

    try:
        return run_session(main())
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except ValidationError as error:
        raise typer.BadParameter(str(as_permanent(error))) from None
    except (RestockError, ValueError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None


def _show_new(text: str, key: "ApiKey", *, as_json: bool) -> None:
    if as_json:
        _write({"key": text, **_told(key)})
    else:
        sys.stdout.write(text + "\n")


def _told(key: "ApiKey") -> dict[str, object]:
    from order_ingest.api.keys import described

    return described(key)


def _write(result: object) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps(result, option=options))
