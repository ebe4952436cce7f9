"""`restock ledger`: proves the books, of a running ledger too."""

import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console

from restock_common.contracts.topics import SHARDS
from restock_common.errors import shown
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings, read_settings
from restock_local.session import ToldToEnd, run_session

if TYPE_CHECKING:
    from stock_ledger.audit import Rebuilt, Verdict
    from stock_ledger.stream import LedgerApplication

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


class Source(StrEnum):
    """What books can be rebuilt from."""

    JOURNAL = "journal"
    LOG = "log"


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

    tell = _console().print

    async def look(database: Database) -> "list[Verdict]":
        shards = range(SHARDS) if shard is None else [shard]
        return await verify(database, _settings(kafka), shards=shards, tell=tell)

    verdicts = _look(look, database_url)
    if as_json:
        _write(verdicts)
    else:
        for verdict in verdicts:
            sys.stdout.write(_line(verdict, compared=kafka is not None) + "\n")
    if any(verdict.finding for verdict in verdicts):
        raise typer.Exit(BROKEN)


@app.command("rebuild")
def rebuild_command(
    database_url: DatabaseUrl,
    source: Annotated[
        Source, typer.Option("--from", help="The movements in its database, or its log on Kafka.")
    ] = Source.JOURNAL,
    kafka: Kafka = None,
    keep: Annotated[bool, typer.Option(help="Leave the rebuilt books in their schema.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rebuild the books into a new schema and compare them with the ledger's.

    Ends with 0 where they are identical, with 1 where they are not (the first differences are
    told), with 2 where it cannot look.
    """
    from stock_ledger.audit import Rebuilt, rebuild_from_log, rebuild_from_movements

    schema = f"restock_rebuild_{secrets.token_hex(4)}"
    options: dict[str, Any] = {"schema": schema, "keep": keep, "tell": _console().print}
    look: Callable[[Database], Awaitable[Rebuilt]]
    if source is Source.JOURNAL:
        look = partial(rebuild_from_movements, **options)
    elif kafka is None:
        raise typer.BadParameter("--from log reads Kafka: say where it is with --kafka")
    else:
        settings = KafkaSettings(kafka_bootstrap=kafka)
        look = partial(rebuild_from_log, kafka=settings, application=_application(), **options)
    rebuilt = _look(look, database_url)
    if as_json:
        _write({"identical": rebuilt.identical, **asdict(rebuilt)})
    else:
        sys.stdout.write("\n".join(_lines(rebuilt)) + "\n")
    if not rebuilt.identical:
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


def _lines(rebuilt: "Rebuilt") -> Iterator[str]:
    """Yield what a rebuild has found as people read it."""
    offsets = ", ".join(f"shard {n} {offset}" for n, offset in rebuilt.next_offsets.items())
    yield f"From the {rebuilt.source}, as of these offsets of the ledger's topic: {offsets}."
    for what, number in rebuilt.compared.items():
        yield f"{what}: {number:,} compared"
    for one in rebuilt.differences:
        yield (
            f"{one.what} {_told(one.where)}: the ledger has {_told(one.stored)}, rebuilt is"
            f" {_told(one.rebuilt)}"
        )
    if rebuilt.schema is not None:
        yield f"The rebuilt books are in the schema {rebuilt.schema}."
    if rebuilt.identical:
        yield "Identical."
    else:
        yield "NOT identical: the first differences of each kind are shown."


def _told(values: Mapping[str, Any] | None) -> str:
    if values is None:
        return "nothing"
    return ", ".join(f"{name}={shown(value)}" for name, value in values.items())


def _application() -> "LedgerApplication":
    """Return what decides, with the rules that the environment holds."""
    from stock_ledger import store
    from stock_ledger.settings import LedgerSettings
    from stock_ledger.stream import LedgerApplication

    return LedgerApplication(store, read_settings(LedgerSettings).rules)


def _look(look: Callable[[Database], Awaitable[T]], database_url: str) -> T:
    """Look at the ledger's database, or end with the code that says that this cannot be done."""

    async def main() -> T:
        database = Database(database_url, max_connections=3, patience_s=None)
        await database.open()
        try:
            return await look(database)
        finally:
            await database.close()

    try:
        return run_session(main())
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing is known of the books
        why = f"Cannot look: {str(error) or repr(error)}"
        _console().print(why, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(CANNOT_LOOK) from None


def _console() -> Console:
    """Return where progress goes: standard output is the result's."""
    return Console(stderr=True, highlight=False)


def _settings(kafka: str | None) -> KafkaSettings | None:
    return None if kafka is None else KafkaSettings(kafka_bootstrap=kafka)


def _write(result: object) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    sys.stdout.buffer.write(orjson.dumps(result, default=_as_text, option=options))


def _as_text(value: object) -> str:
    """Return bytes as hex digits: heads, keys and bodies."""
    return value.hex() if isinstance(value, bytes) else str(value)
