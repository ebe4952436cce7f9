"""`restock routes solve` and `restock routes tradeoff`."""

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from dispatcher.domain.vrp.bounds import BadProblem
from dispatcher.domain.vrp.checker import faults
from dispatcher.domain.vrp.engines import ENGINES, engine, warm_up
from dispatcher.domain.vrp.plan import Answer, Budget, Plan, Progress, Solver
from dispatcher.domain.vrp.problem import LEFT_OUT_WAIT_H, Problem
from dispatcher.domain.vrp.schedule import day_start
from restock_local.routes.curve import Mark, curve
from restock_local.routes.files import Loaded, Unreadable, load
from restock_local.routes.picture import html, svg

app = typer.Typer(help="Plan routes from a file, and look at them.", no_args_is_help=True)

_MICRO = 1_000_000
_HOUR_S = 3600
_SHOWN = 8
_DIALS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)

File = Annotated[Path, typer.Argument(help="VRPLIB .vrp, Solomon .txt or Restock's own .json")]
EngineName = Annotated[str, typer.Option("--engine", help=f"One of {', '.join(ENGINES)}")]
Seconds = Annotated[float, typer.Option(min=0.1, max=3600, help="Wall time of a solve")]
Out = Annotated[Path, typer.Option(help="The folder to write to")]


@app.command()
def solve(
    file: File,
    engine_name: EngineName = "ortools",
    seconds: Seconds = 10.0,
    seed: Annotated[int, typer.Option(help="Of the search")] = 0,
    iterations: Annotated[
        int | None, typer.Option(help="Stop by iterations: the same plan on any machine")
    ] = None,
    out: Out = Path("routes"),
) -> None:
    """Plan routes; write the solution, a map (SVG and HTML) and JSON."""
    loaded = _read(file)
    console = Console(stderr=True)
    second = -1

    def tell(progress: Progress) -> None:
        nonlocal second
        if int(progress.seconds) > second:
            second = int(progress.seconds)
            console.print(f"{progress.seconds:6.1f} s  best {_money(loaded, progress.cost)}")

    chosen = _engine(engine_name)
    budget = Budget(seconds, time.monotonic, iterations)
    try:
        answer = chosen.solve(loaded.problem, budget, seed, on_progress=tell)
    except BadProblem as error:
        raise typer.BadParameter(f"{file}: {error}") from error
    wrong = faults(loaded.problem, answer.plan)
    if wrong:
        raise RuntimeError(f"the plan is not valid: {wrong[:3]}")
    _tell(console, loaded, answer.plan)
    out.mkdir(parents=True, exist_ok=True)
    _write(out, loaded, answer)
    console.print(f"written to {out}: {loaded.name}.sol, .json, .svg, .html")


@app.command()
def tradeoff(
    file: File,
    engine_name: EngineName = "ortools",
    seconds: Seconds = 5.0,
    out: Out = Path("routes"),
) -> None:
    """Solve along the dial from cheapest to fastest; plot money against waiting."""
    loaded = _read(file)
    chosen = _engine(engine_name)
    found = []
    for dial in _DIALS:
        prices = replace(loaded.problem.prices, dial=dial)
        problem = replace(loaded.problem, prices=prices)
        try:
            plan = chosen.solve(problem, Budget(seconds, time.monotonic)).plan
        except BadProblem as error:
            raise typer.BadParameter(f"{file}: {error}") from error
        found.append(_mark(loaded, problem, plan, dial))
    # any plan answers any dial: each keeps the one that is best by its own price of waiting
    price = loaded.problem.prices.wait_per_hour / (1 if loaded.benchmark else _MICRO)
    marks = []
    for dial in _DIALS:
        best = min(found, key=lambda one: one.money + dial * price * one.waited_hours)
        marks.append(replace(best, dial=dial))
        typer.echo(
            f"dial {dial:<5g} money {best.money:10.2f}  wait {best.hours:6.2f} h  "
            f"routes {best.routes:3}  left out {best.missing}"
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{loaded.name}-tradeoff.svg").write_text(curve(loaded.name, marks))
    (out / f"{loaded.name}-tradeoff.json").write_bytes(orjson.dumps([asdict(m) for m in marks]))
    typer.echo(f"written to {out}: {loaded.name}-tradeoff.svg, -tradeoff.json")


def _read(file: Path) -> Loaded:
    try:
        return load(file)
    except Unreadable as error:
        raise typer.BadParameter(str(error)) from error


def _engine(name: str) -> Solver:
    if name not in ENGINES:
        raise typer.BadParameter(f"{name!r} is no engine; known: {', '.join(ENGINES)}")
    try:
        warm_up(name, time.monotonic)
    except ImportError as error:
        raise typer.BadParameter(f"{name} is not installed: the extra [{name}]") from error
    return engine(name)


def _money(loaded: Loaded, cost: float) -> str:
    return f"{cost:.0f}" if loaded.benchmark else f"{cost / _MICRO:.2f}"


def _mark(loaded: Loaded, problem: Problem, plan: Plan, dial: float) -> Mark:
    """Return a plan's money without the price of waiting, and the wait."""
    first = day_start(problem)
    waits = [stop.begins_s - first for route in plan.routes for stop in route.stops]
    missing = len(plan.carrier) + len(plan.unserved)
    waited_hours = sum(waits) / _HOUR_S + missing * LEFT_OUT_WAIT_H
    money = plan.cost - waited_hours * problem.prices.customer_hour
    return Mark(
        dial,
        money / (1 if loaded.benchmark else _MICRO),
        waited_hours / max(1, len(waits) + missing),
        waited_hours,
        len(plan.routes),
        missing,
    )


def _tell(console: Console, loaded: Loaded, plan: Plan) -> None:
    served = sum(len(route.stops) for route in plan.routes)
    console.print(
        f"{loaded.name}: cost {_money(loaded, plan.cost)}, {served} served on "
        f"{len(plan.routes)} routes, {len(plan.carrier)} to the carrier, "
        f"{len(plan.unserved)} unserved"
    )
    if loaded.best_known:
        gap = 100 * (plan.cost / loaded.best_known - 1)
        console.print(f"{gap:.2f} % above the best known, {loaded.best_known}")
    for one in (*plan.unserved, *plan.carrier)[:_SHOWN]:
        console.print(f"  {one.shipment}: {one.reason}; would let it in: {one.remedy or '-'}")


def _write(out: Path, loaded: Loaded, answer: Answer) -> None:
    plan, name = answer.plan, loaded.name
    lines = [
        f"Route #{number}: {' '.join(stop.shipment for stop in route.stops)}"
        for number, route in enumerate(plan.routes, 1)
    ]
    cost = _money(loaded, plan.cost)
    (out / f"{name}.sol").write_text("\n".join([*lines, f"Cost {cost}", ""]))
    written = {"name": name, **asdict(plan), "progress": [asdict(p) for p in answer.progress]}
    (out / f"{name}.json").write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))
    (out / f"{name}.svg").write_text(svg(loaded.problem, plan))
    (out / f"{name}.html").write_text(html(name, loaded.problem, plan, cost))
