"""`restock ledger`: proves the books, of a running ledger too."""

import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console

from restock_common.contracts.topics import SHARDS
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_local.session import ToldToEnd, run_session

if TYPE_CHECKING:
    from stock_ledger.audit import Verdict

T = TypeVar("T")

BROKEN, CANNOT_LOOK = 1, 2

app = typer.Typer(help="Prove the stock ledger's books.", no_args_is_help=True)

DatabaseUrl = Annotated[
    str,
    typer.Option(envvar="RESTOCK_DATABASE_URL", show_envvar=True, help="The ledger's database."),
]
Kafka = Annotated[
    str | None,
    typer.Option(
        envvar="RESTOCK_KAFKA_BOOTSTRAP", metavar="HOST:PORT", help="Where the ledger publishes."
    ),
]
Shard = Annotated[int | None, typer.Option(min=0, max=SHARDS - 1, help="Only this one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


@app.command("verify")
def verify_command(
    database_url: DatabaseUrl,
    kafka: Kafka = None,
    shard: Shard = None,
    as_json: AsJson = False,
) -> None:
    """Walk each shard's hash chain, and compare it with what was published.

    Ends with 0 where all is as it was written, with 1 where it is not (the first bad batch is
    named), with 2 where it cannot look.
    """
    from stock_ledger.audit import verify  # other commands do without the ledger

    console = _console()

    async def look() -> "list[Verdict]":
        database = Database(database_url, max_connections=2, patience_s=None)
        await database.open()
        try:
            return await verify(
                database, _settings(kafka), shards=_shards(shard), tell=console.print
            )
        finally:
            await database.close()

    verdicts = _run(look, console)
    if as_json:
        _write(verdicts)
    else:
        for verdict in verdicts:
            sys.stdout.write(_line(verdict, compared=kafka is not None) + "\n")
    if any(verdict.finding for verdict in verdicts):
        raise typer.Exit(BROKEN)


def _line(verdict: "Verdict", *, compared: bool) -> str:
    """Return a verdict as people read it."""
    found = verdict.finding
    where = f"shard {verdict.shard}, up to offset {verdict.next_offset}"
    if found is not None:
        last = "?" if found.last_offset is None else found.last_offset
        return (
            f"{where}: BROKEN in the batch of sequences {found.first_sequence} to"
            f" {found.last_sequence} (offsets {found.first_offset} to {last}): {found.fault}:"
            f" {found.detail}"
        )
    told = "not compared with what was published"
    if compared:
        told = (
            f"{verdict.published_entries:,} published entries and {verdict.published_heads:,}"
            " published heads agree"
        )
    return (
        f"{where}: sound: {verdict.entries:,} entries in {verdict.batches:,} batches lead to the"
        f" head {verdict.head}; {told}"
    )


def _run(main: Callable[[], Coroutine[Any, Any, T]], console: Console) -> T:
    """Run `main`, or end with the code that says that it cannot look."""
    try:
        return run_session(main())
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing is known of the books
        console.print(f"Cannot look: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(CANNOT_LOOK) from None


def _console() -> Console:
    """Return where progress goes: standard output is the result's."""
    return Console(stderr=True, highlight=False)


def _settings(kafka: str | None) -> KafkaSettings | None:
    return None if kafka is None else KafkaSettings(kafka_bootstrap=kafka)


def _shards(shard: int | None) -> range:
    return range(SHARDS) if shard is None else range(shard, shard + 1)


def _write(result: object) -> None:
    sys.stdout.buffer.write(
        orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
