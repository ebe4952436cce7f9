"""`restock gaps`: what was heard of each shop, and what was not, from order-ingest's database."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table

from restock_common.errors import RestockError
from restock_common.postgres import Database
from restock_local.session import ToldToEnd, run_session

if TYPE_CHECKING:
    from order_ingest.domain.gaps import Range
    from order_ingest.handlers import Gap

FAILED = 2
_FILE_WIDTH = 200
_SHOWN_RANGES = 5


def gaps(
    database_url: Annotated[
        str,
        typer.Option(
            envvar="RESTOCK_DATABASE_URL", show_envvar=True, help="order-ingest's database."
        ),
    ],
    shop: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    json_path: Annotated[
        str | None,
        typer.Option("--json", metavar="PATH", help="Write it there for programs; - is stdout."),
    ] = None,
) -> None:
    """Show when each shop was last heard, which orders are missing, and how reading it goes."""
    try:
        found = run_session(_read(database_url, shop))
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except (RestockError, ValueError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None
    if json_path is not None:
        _write(found, json_path)
    if json_path != "-":
        _show(found)


async def _read(database_url: str, shop: str | None) -> "Sequence[Gap]":
    from order_ingest.handlers import Gaps
    from order_ingest.store import PostgresGaps

    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        await database.migrate(["restock_common", "order_ingest"])
        return await Gaps(database, PostgresGaps()).of(shop)
    finally:
        await database.close()


def _write(found: "Sequence[Gap]", path: str) -> None:
    from order_ingest.api.gaps import described

    told = to_json({"gaps": [described(gap) for gap in found]}, indent=2) + b"\n"
    if path == "-":
        sys.stdout.buffer.write(told)
    else:
        Path(path).write_bytes(told)


def _show(found: "Sequence[Gap]") -> None:
    table = Table(
        "shop",
        "channel",
        "last event",
        "silent",
        "missing",
        "not in the shop",
        "found by reading",
        "to fetch",
        "last read",
        "error",
    )
    for gap in found:
        poll = gap.poll
        table.add_row(
            gap.shop,
            gap.channel or (gap.last.channel if gap.last else ""),
            "never" if gap.last is None else f"{_moment(gap.last.received_at)} {gap.last.kind}",
            "" if gap.silent_since is None else f"since {_moment(gap.silent_since)}",
            _numbers(gap.missing) if gap.last_number is not None else "not counted",
            _numbers(gap.not_in_shop),
            str(gap.found),
            str(gap.to_fetch),
            "not read" if poll is None else _moment(poll.polled_at),
            "" if poll is None or poll.error is None else f"{poll.error} ({poll.failures} times)",
        )
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(table, markup=False)


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _numbers(holes: "Sequence[Range]") -> str:
    """Return how many numbers they are, and the highest ranges of them."""
    if not holes:
        return "0"
    shown = [
        str(one.first) if one.first == one.last else f"{one.first}-{one.last}"
        for one in holes[-_SHOWN_RANGES:]
    ]
    more = "..., " if len(holes) > _SHOWN_RANGES else ""
    return f"{sum(map(len, holes))}: {more}{', '.join(shown)}"
