"""The `restock` command."""

import os
import sys

import typer
from rich.console import Console
from rich.table import Column, Table

from restock_common.contracts.topics import TOPICS
from restock_local.backtest.command import backtest
from restock_local.contracts.command import app as contracts
from restock_local.customers import app as customers
from restock_local.dead_letters import app as dead_letters
from restock_local.demo.command import demo
from restock_local.doctor.command import doctor
from restock_local.explain import explain
from restock_local.folders import project_folder
from restock_local.forecast import app as forecast
from restock_local.gaps import gaps
from restock_local.ingest.command import ingest
from restock_local.keys import app as keys
from restock_local.ledger import app as ledger
from restock_local.routes.command import app as routes
from restock_local.simulate.command import app as simulate
from restock_local.up import up

_FILE_WIDTH = 160

app = typer.Typer(
    help="Real-time inventory control, on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.command()(up)
app.command()(demo)
app.command()(ingest)
app.command()(gaps)
app.command()(doctor)
app.command()(backtest)
app.command()(explain)
app.add_typer(forecast, name="forecast")
app.add_typer(simulate, name="simulate")
app.add_typer(routes, name="routes")
app.add_typer(ledger, name="ledger")
app.add_typer(contracts, name="contracts")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(keys, name="keys")
app.add_typer(customers, name="customers")


@app.command()
def topics() -> None:
    """Show the topics as they are declared."""
    table = Table(
        Column("topic", no_wrap=True),
        "partitions",
        "partitioned by",
        "published by",
        "retention",
        "cleanup",
    )
    for topic in TOPICS:
        retention = "for ever" if topic.retention is None else f"{topic.retention.days} days"
        table.add_row(
            topic.name,
            str(topic.partitions),
            topic.key,
            topic.published_by,
            retention,
            topic.cleanup.value,
        )
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(table)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context, name: str) -> None:
    """Run a benchmark; what follows its name is handed on, such as --json PATH."""
    folder = project_folder() / "benchmarks"
    known = sorted(script.stem for script in folder.glob("[!_]*.py"))
    if name not in known:
        raise typer.BadParameter(f"{name!r} is no benchmark; known: {', '.join(known) or 'none'}")
    script = str(folder / f"{name}.py")
    os.execv(sys.executable, [sys.executable, script, *context.args])  # noqa: S606 - one of ours
