"""`restock backtest`."""

import sys
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from threadpoolctl import threadpool_limits

from restock_local.backtest import files, panels, report
from restock_local.backtest.dataset import Dataset
from restock_local.backtest.run import LIGHTGBM, Result, run

DEFAULT_LEARNER = "global-mixture"
_STEP_DAYS = 7


class YesNo(StrEnum):
    """Whether plans are told."""

    YES = "yes"
    NO = "no"


def backtest(  # noqa: PLR0913, PLR0917 - each is an option of the command
    history: Annotated[
        Path | None,
        typer.Argument(
            help="CSV or Parquet: sku, location, date, quantity; price, promotion, stockout"
        ),
    ] = None,
    panel: Annotated[str | None, typer.Option(help=f"One of {', '.join(panels.PANELS)}.")] = None,
    sample_seed: Annotated[
        int, typer.Option(help="Draws the panel's series.")
    ] = panels.DEFAULT_SEED,
    chosen_until: Annotated[
        str | None, typer.Option(help="Choose the panel by the days before this one.")
    ] = None,
    origins: Annotated[
        str | None, typer.Option(help="FROM:TO, weekly; the first days that are foretold.")
    ] = None,
    promotions: Annotated[YesNo, typer.Option(help="Whether plans are told ahead.")] = YesNo.YES,
    learner: Annotated[str, typer.Option(help="Which is tried.")] = DEFAULT_LEARNER,
    against: Annotated[
        list[str] | None,
        typer.Option(help="Other learners, lightgbm, statsforecast; the first is the reference."),
    ] = None,
    country: Annotated[str, typer.Option(help="Whose holidays a file's locations keep.")] = "",
    cache: Annotated[Path | None, typer.Option(help="Keeps what LightGBM foretold.")] = None,
    json: Annotated[str | None, typer.Option(help="Figures as one line; - is the screen.")] = None,
    html: Annotated[Path | None, typer.Option(help="A report with plots.")] = None,
) -> None:
    """Try a learner on history: the forecaster's own code, day by day."""
    threadpool_limits(1)  # as the service does: its matrices are small
    try:
        start, end = _origins(origins, panel)
        data = _data(history, panel, sample_seed, chosen_until, start, country)
        columns = _columns(data, start, end)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("days", total=max(columns))
            result = run(
                data,
                columns,
                learner=learner,
                against=against or ["seasonal-naive"],
                promotions=promotions is YesNo.YES,
                cache=cache,
                progress=lambda column: progress.update(task, completed=column),
            )
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    except ModuleNotFoundError as error:
        raise typer.BadParameter(
            f"{error.name} is not installed: uv sync --extra benchmark ({LIGHTGBM} needs it)"
        ) from error
    _tell(result, {"panel": data.name, "promotions": promotions.value}, json, html)


def _origins(told: str | None, panel: str | None) -> tuple[date | None, date | None]:
    if told is None:
        if panel is not None:
            raise ValueError("--panel needs --origins FROM:TO")
        return None, None
    first, colon, last = told.partition(":")
    if not colon:
        raise ValueError(f"--origins {told!r} is not FROM:TO")
    return date.fromisoformat(first), date.fromisoformat(last)


def _data(
    history: Path | None,
    panel: str | None,
    sample_seed: int,
    chosen_until: str | None,
    start: date | None,
    country: str,
) -> Dataset:
    if (history is None) == (panel is None):
        raise ValueError("either a history file or --panel")
    if history is not None:
        return files.load(history, country=country)
    assert panel is not None
    assert start is not None
    until = date.fromisoformat(chosen_until) if chosen_until else start
    return panels.load(panel, sample_seed=sample_seed, until=until)


def _columns(data: Dataset, start: date | None, end: date | None) -> list[int]:
    """Return the origins' columns; of a file without any, the last quarter's weeks."""
    if start is None or end is None:
        last = data.days - 14
        return sorted(range(last, max(data.days * 3 // 4, 56), -_STEP_DAYS))
    days = range(0, (end - start).days + 1, _STEP_DAYS)
    return [data.column(panels.day_of(start + timedelta(days=one))) for one in days]


def _tell(result: Result, about: dict[str, str], json: str | None, html: Path | None) -> None:
    figures = {**about, **result.figures}
    if html is not None:
        html.write_text(report.page(result, figures))
    if json == "-":
        sys.stdout.buffer.write(orjson.dumps(figures, option=orjson.OPT_APPEND_NEWLINE))
        return
    if json is not None:
        Path(json).write_bytes(orjson.dumps(figures, option=orjson.OPT_APPEND_NEWLINE))
    table = Table("method", "spl_7", "spl_14", "wape_7", "wape_14", "bias_14", "seconds")
    for name, one in result.methods.items():
        shown = [f"{one[key]:.4f}" for key in ("spl_7", "spl_14", "wape_7", "wape_14", "bias_14")]
        table.add_row(name, *shown, f"{one['wall_s']:.1f}")
    Console().print(table)
