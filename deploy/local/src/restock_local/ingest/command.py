"""`restock ingest`: the command and its exit codes."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console

from restock_local.ingest.shapes import Kind
from restock_local.session import ToldToEnd, run_session

if TYPE_CHECKING:
    from restock_local.demo.door import Door

SOME_REFUSED, CANNOT_GO_ON = 1, 2
_MAX_SHOWN = 20


def ingest(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    key: Annotated[str, typer.Option(envvar="RESTOCK_API_KEY", help="The shop's API key.")],
    url: Annotated[
        str, typer.Option(envvar="RESTOCK_INGEST_URL", help="Where order-ingest listens.")
    ] = "http://127.0.0.1:8000",
    kind: Annotated[Kind, typer.Option(help="What the file holds.")] = Kind.ORDERS,
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="It holds master data, taken all or none.")
    ] = False,
) -> None:
    """Send a file through the HTTP door: NDJSON, CSV or Parquet; master data also as YAML or JSON.

    What is refused stands in FILE.refused.ndjson, with the reason. A run that was stopped goes on
    where it was. Ends with 0 where all was taken, with 1 where some was refused, with 2 where it
    cannot go on.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if catalogue:
        _run(console, lambda: _catalogue(file, url, key, console))
    else:
        _run(console, lambda: _file(file, kind, url, key, console))


def _run(console: Console, begin: Callable[[], Awaitable[int]]) -> None:
    # pyarrow takes a while to import: other commands do without it.
    from restock_local.demo.door import Refused
    from restock_local.ingest.progress import OtherFile
    from restock_local.ingest.sources import Unreadable

    async def main() -> int:
        return await begin()

    try:
        code = run_session(main())
    except ToldToEnd as told:
        console.print("Stopped: run it again to go on.")
        raise typer.Exit(told.exit_code) from None
    except (Refused, Unreadable, OtherFile, OSError) as error:
        console.print(f"Cannot go on: {error}", style="red", markup=False)
        raise typer.Exit(CANNOT_GO_ON) from None
    raise typer.Exit(code)


def _door(url: str, key: str) -> "Door":
    from restock_local.demo.door import Door

    return Door(url, {"X-API-Key": key})


async def _file(file: Path, kind: Kind, url: str, key: str, console: Console) -> int:
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from restock_local.ingest.progress import Ledger
    from restock_local.ingest.send import send
    from restock_local.ingest.sources import items, size_of

    async with _door(url, key) as door:
        shop = (await door.get("/v1/whoami"))["shop"]
    ledger = Ledger(file, kind, url=url, shop=shop)
    progress = ledger.progress
    if progress.items and not progress.finished:
        console.print(f"Going on after {progress.items:,} {kind}.")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    bar = Bar(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
    with bar:
        task = bar.add_task(file.name, total=size_of(file))

        def tell(done: int) -> None:
            told = f"{progress.accepted:,} taken, {progress.refused:,} refused"
            bar.update(task, completed=done, description=told)

        if not progress.finished:
            async with _door(url, key) as door:
                await send(door, items(file, kind), kind, ledger, tell)
    console.print(f"{progress.accepted:,} {kind} taken, {progress.refused:,} refused.")
    if progress.refused:
        console.print(f"Why: {ledger.refused_path}", markup=False)
        return SOME_REFUSED
    return 0


async def _catalogue(file: Path, url: str, key: str, console: Console) -> int:
    from restock_local.ingest.catalogue import as_body, read_catalogue

    body = as_body(read_catalogue(file))
    async with _door(url, key) as door:
        status, told = await door.ask("PUT", "/v1/catalogue", body)
    answer = orjson.loads(told)
    if status < 300:  # noqa: PLR2004 - the first status that is no success
        counts = (f"{count:,} {kind}" for kind, count in answer["accepted"].items() if count)
        console.print(f"Taken: {', '.join(counts)}.")
        return 0
    console.print(f"Nothing was taken: {answer['detail']}", style="red", markup=False)
    for error in answer.get("errors", ())[:_MAX_SHOWN]:
        console.print(f"  {error['field']}: {error['reason']}: {error['value']!r}", markup=False)
    return SOME_REFUSED
