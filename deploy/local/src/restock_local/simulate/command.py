"""`restock simulate`."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from threadpoolctl import threadpool_limits

from forecaster.domain.learners import new_learner
from replenisher.domain.policies.segments import POLICIES
from replenisher.domain.simulation import KEEPS_FOR_EVER
from restock_local.backtest import files, panels
from restock_local.backtest.dataset import Dataset
from restock_local.backtest.replay import replay
from restock_local.simulate import report
from restock_local.simulate.figures import figures_of
from restock_local.simulate.planners import ByPolicy, MovingAverage, Planner
from restock_local.simulate.play import Played, play
from restock_local.simulate.setting import REVIEW_DAYS, WARM_UP_DAYS, grid_of, make_setting

DEFAULT_LEARNER = "exponentially-weighted"
YARDSTICK = "moving-average"
_FILE_WIDTH = 160

app = typer.Typer(help="What would come of it.", no_args_is_help=True, add_completion=False)


@app.callback()
def _simulate() -> None:
    """What would come of it."""


@app.command()
def policy(  # noqa: PLR0913, PLR0917 - each is an option of the command
    demand: Annotated[
        Path | None,
        typer.Option(help="CSV or Parquet: sku, location, date, quantity; price"),
    ] = None,
    panel: Annotated[str, typer.Option(help=f"Without a file: {', '.join(panels.PANELS)}.")] = (
        panels.PANELS[0]
    ),
    seed: Annotated[int, typer.Option(help="Draws the panel's series and the lead times.")] = 1,
    tried: Annotated[
        list[str] | None,
        typer.Option("--policy", help=f"Any of {', '.join(sorted(POLICIES))}; all if none is."),
    ] = None,
    learner: Annotated[str, typer.Option(help="Whose forecasts.")] = DEFAULT_LEARNER,
    lost_sales: Annotated[
        bool, typer.Option("--lost-sales/--backorders", help="What is short: lost, or owed.")
    ] = False,
    ratio: Annotated[float, typer.Option(min=0.1, help="b / h.")] = 19.0,
    fill_rate: Annotated[float, typer.Option(min=0.01, max=0.999, help="Its target.")] = 0.95,
    review_days: Annotated[int, typer.Option(min=1, max=28)] = REVIEW_DAYS,
    shelf_life_days: Annotated[int, typer.Option(min=1, help="Of all skus.")] = KEEPS_FOR_EVER,
    json: Annotated[str | None, typer.Option(help="Figures as one line; - is the screen.")] = None,
    html: Annotated[Path | None, typer.Option(help="A report with plots.")] = None,
) -> None:
    """Try policies on demand: the replenisher's own code, day by day, beside a moving average."""
    threadpool_limits(1)  # as the forecaster does: its matrices are small
    try:
        data = _data(demand, panel, seed)
        setting = make_setting(
            data,
            seed=seed,
            ratio=ratio,
            lost_sales=lost_sales,
            fill_rate=fill_rate,
            review_days=review_days,
            shelf_life_days=shelf_life_days,
        )
        planners = _planners(tried, ratio)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("days", total=data.days)
            told = replay(
                data,
                new_learner(learner),
                list(setting.reviews),
                promotions=True,
                progress=lambda column: progress.update(task, completed=column),
            )
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from error
    grids = [grid_of(one) for one in told.forecasts]
    forecasts = dict(zip(setting.reviews, grids, strict=True))
    played = {name: play(setting, planner, forecasts) for name, planner in planners.items()}
    about: dict[str, object] = {
        "demand": data.name,
        "seed": seed,
        "learner": learner,
        "lost_sales": lost_sales,
        "b_over_h": ratio,
        "skus": len(data.keys),
        "days": setting.days - setting.start,
    }
    figures = {name: figures_of(one, setting.costs) for name, one in played.items()}
    _tell(about, figures, played, json, html)


def _data(demand: Path | None, panel: str, seed: int) -> Dataset:
    if demand is None:
        until = panels.START + timedelta(days=WARM_UP_DAYS)
        return panels.load(panel, sample_seed=seed, until=until)
    data = files.load(demand)
    if data.days <= 2 * WARM_UP_DAYS:
        raise ValueError(
            f"{demand.name} has {data.days} days; {WARM_UP_DAYS} are for learning alone, and as "
            "many again are needed"
        )
    return data


def _planners(tried: list[str] | None, ratio: float) -> dict[str, Planner]:
    for name in tried or ():
        if name not in POLICIES:
            raise ValueError(f"{name!r} is no policy; known: {', '.join(sorted(POLICIES))}")
    names = tried or sorted(POLICIES)
    mine: dict[str, Planner] = {name: ByPolicy(POLICIES[name]) for name in names}
    return {YARDSTICK: MovingAverage(ratio)} | mine


def _tell(
    about: dict[str, object],
    figures: dict[str, dict[str, float]],
    played: dict[str, Played],
    json: str | None,
    html: Path | None,
) -> None:
    if html is not None:
        html.write_text(report.page(about, figures, played))
    line = orjson.dumps(about | {"policies": figures}, option=orjson.OPT_APPEND_NEWLINE)
    if json == "-":
        sys.stdout.buffer.write(line)
        return
    if json is not None:
        Path(json).write_bytes(line)
    table = Table(Column("policy", no_wrap=True), *(_heading(name) for name in report.COLUMNS))
    for name, one in figures.items():
        table.add_row(name, *(report.shown(column, one[column]) for column in report.COLUMNS))
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(table)


def _heading(column: str) -> str:
    return column.removesuffix("_cost").replace("_", " ")
