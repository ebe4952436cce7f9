"""`restock dead-letters`: what could not be handled, why, and back to where it came from."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import click
import orjson
import typer
from rich.console import Console
from rich.table import Table

from restock_common.errors import RestockError
from restock_common.settings import KafkaSettings, read_settings
from restock_local.letterbox import Delivered, Filter, Letterbox, NotOne, Replayed
from restock_local.session import ToldToEnd, run_session

T = TypeVar("T")

FAILED = 2
_SHOWN_ID = 12
_FILE_WIDTH = 200

app = typer.Typer(
    help="See, and send again, what could not be handled. The keys that open the letters are read"
    " from RESTOCK_DEAD_LETTER_KEYS.",
    no_args_is_help=True,
)

Kafka = Annotated[
    str | None,
    typer.Option(envvar="RESTOCK_KAFKA_BOOTSTRAP", metavar="HOST:PORT", help="Where Kafka is."),
]
LetterId = Annotated[str, typer.Argument(help="Its id, or the beginning of it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write the result as JSON.")]


@app.command("list")
def list_command(
    kafka: Kafka = None,
    topic: Annotated[str | None, typer.Option(help="That it came from.")] = None,
    service: Annotated[str | None, typer.Option(help="That could not handle it.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Written then or later; UTC without a zone.")
    ] = None,
    field: Annotated[str | None, typer.Option(help="That was found fault with.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the letters, the oldest first, with reason and origin."""
    wanted = Filter(topic, service, _aware(since), field)
    letters = _run(lambda box: box.letters(wanted), kafka)
    if as_json:
        _write([letter.described(whole=False) for letter in letters])
        return
    table = Table("id", "written", "service", "came from", "field", "reason")
    for letter in letters:
        event = letter.event
        place = f"{event.source_topic}/{event.source_partition} @{event.source_offset}"
        table.add_row(
            letter.id[:_SHOWN_ID],
            f"{letter.written_at:%Y-%m-%d %H:%M:%S}",
            event.consumer,
            place,
            event.field or "",
            letter.reason,
        )
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(table, markup=False)
    console.print(f"{len(letters)} dead letters", highlight=False)


@app.command("show")
def show_command(letter_id: LetterId, kafka: Kafka = None, as_json: AsJson = False) -> None:
    """Show one letter, with headers, key and body."""
    letter = _run(lambda box: box.whole(letter_id), kafka)
    if as_json:
        _write(letter.described(whole=True))
    else:
        sys.stdout.write("\n".join(letter.lines()) + "\n")


@app.command("replay")
def replay_command(
    letter_ids: Annotated[list[str], typer.Argument(help="Their ids, or the beginnings of them.")],
    kafka: Kafka = None,
    edit: Annotated[
        bool, typer.Option("--edit", help="Open the body in $EDITOR before it is sent.")
    ] = False,
    url: Annotated[
        str,
        typer.Option(
            envvar="RESTOCK_INGEST_URL", help="Where order-ingest listens: for what came there."
        ),
    ] = "http://127.0.0.1:8000",
    key: Annotated[
        str | None,
        typer.Option(envvar="RESTOCK_API_KEY", help="The shop's API key: for what came there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send records again, to the topic and partition they came from, under their own ids.

    A letter is sent once: a second replay finds the first and does nothing. What came as a webhook
    goes to order-ingest, with a key that is good for `shops`; a command that has waited there in
    vain, or was not borne out by its order, with one that is good for `orders`. It counts once.
    """

    async def replay(box: Letterbox, letter_id: str) -> Replayed | Delivered:
        letter = await box.whole(letter_id)
        body = letter.body
        if edit:
            body = await asyncio.to_thread(_edited, body)
        if not letter.came_by_http:
            return await box.replay(letter, body)
        if key is None:
            shop = letter.request.shop
            raise RestockError(f"shop {shop!r} has said it: give its API key with --key")
        return await box.deliver(letter, body, url, key)

    async def replay_all(box: Letterbox) -> list[Replayed | Delivered]:
        return [await replay(box, one) for one in letter_ids]

    replayed = _run(replay_all, kafka)
    if as_json:
        _write([asdict(one) for one in replayed])
        return
    for one in replayed:
        sys.stdout.write(f"{one}\n")


def _edited(body: bytes) -> bytes:
    """Return what an editor has made of a body; as it was where nothing was saved."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise RestockError("the body is not text: it can be sent as it is, not edited") from None
    changed = click.edit(text, extension=".json")
    return body if changed is None else changed.removesuffix("\n").encode()


def _run(use: Callable[[Letterbox], Coroutine[Any, Any, T]], kafka: str | None) -> T:
    """Open the letterbox and use it, or end with a code that says that this cannot be done."""
    settings = read_settings(KafkaSettings)
    if kafka is not None:
        settings = settings.model_copy(update={"kafka_bootstrap": kafka})
    try:
        return run_session(use(Letterbox(settings)))
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except (RestockError, NotOne) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _write(result: object) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps(result, option=options))
