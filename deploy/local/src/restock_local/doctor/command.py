"""`restock doctor`: looks at what a service stands on, by its environment, and says what to do."""

import sys
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from restock_common.errors import RestockError
from restock_local.doctor.findings import Finding, Verdict
from restock_local.doctor.look import examine
from restock_local.session import ToldToEnd, run_session
from restock_local.supervisor import SERVICES

BROKEN = 1
FAILED = 2
_FILE_WIDTH = 160
_COLOURS = {Verdict.WELL: "green", Verdict.LOOK: "yellow", Verdict.BROKEN: "red"}


def doctor(
    service: Annotated[
        str, typer.Argument(help="Whose environment it is: " + ", ".join(k.name for k in SERVICES))
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Write the findings as JSON.")] = False,
) -> None:
    """Look at settings, broker, topics, database, migrations, lag and clock, and say what to do.

    Ends with 0 where nothing is broken, 1 where something is, 2 where it cannot look.
    """
    known = {kind.name: kind for kind in SERVICES}
    if service not in known:
        raise typer.BadParameter(f"{service!r} is no service; known: {', '.join(known)}")
    try:
        findings = run_session(examine(known[service]))
    except ToldToEnd as told:
        raise typer.Exit(told.exit_code) from None
    except RestockError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(FAILED) from None
    if as_json:
        described = [asdict(one) for one in findings]
        sys.stdout.buffer.write(orjson.dumps(described, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        _show(findings)
    if any(one.verdict is Verdict.BROKEN for one in findings):
        raise typer.Exit(BROKEN)


def _show(findings: list[Finding]) -> None:
    table = Table("check", "", "found", "what to do")
    for one in findings:
        colour = _COLOURS[one.verdict]
        table.add_row(one.check, f"[{colour}]{one.verdict}[/]", one.found, one.advice)
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(table)
