"""How close to the best known the routes are, and how soon: prints one JSON line.

Every instance in the folder is solved by both engines and, as the reference, by PyVRP as it comes
(its own defaults), each in a fresh worker process pinned to one core, warmed on a small problem.
The clock includes building the model. Plans are checked apart from the engines.

`gap_100`, `gap_200_300`, `gap_400_500`: mean gap to the best known in percent, by size; it is the
solution beside the instance (`.sol`), or the published value. An instance without either counts
by its gap to plain PyVRP, in `rows` only. `gap_2000`: to plain PyVRP in the same time, six times
`--seconds`. `gap_dispatch`: the realistic dispatch, to PyVRP's engine. `replan_2s_over_cold_10s`:
20 new orders, a fifth of `--seconds` from the plan before, over the best engine's whole time from
cold; `neighbours_kept` goes with it.
"""

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

from _report import said, write_line
from dispatcher.domain.vrp.plan import Plan, Started, WarmStart
from restock_local.routes.files import Loaded, load
from routes_bench.made import dispatch, windows, without_last
from routes_bench.worker import Solved, alone, plain, solve

_ENGINES = ("ortools", "pyvrp")
_SIZES = {"gap_100": (60, 150), "gap_200_300": (151, 350), "gap_400_500": (351, 650)}
_NEW_ORDERS = 20
_STABILITY = 2_000_000
"""What moving a stop to another driver costs: two units of currency."""

BEST_KNOWN = {
    "R104": 9715,
    "C109": 8273,
    "RC201": 12618,
    "RC208": 7761,
    "R1_2_4": 30476,
    "RC2_2_1": 27974,
    "R1_4_1": 103058,
    "C1_4_9": 69278,
    "RC1_4_5": 81523,
}
"""Published, DIMACS convention, for instances that come without a solution."""


@dataclass(frozen=True, slots=True)
class Row:
    """One solve."""

    instance: str
    stops: int
    engine: str
    seed: int
    cost: int | None
    routes: int
    wall_s: float
    cpu_s: float
    gap_best_known: float | None
    gap_plain: float | None


def percent(cost: int | None, reference: int | None) -> float | None:
    """Return how much a cost is above a reference, in percent."""
    if cost is None or not reference:
        return None
    return round(100 * (cost / reference - 1), 3)


def run_instance(one: Loaded, seconds: float, seed: int) -> list[Row]:
    """Solve an instance with both engines, and with PyVRP as it comes."""
    best_known = one.best_known or BEST_KNOWN.get(one.name)
    reference = alone(plain, one.problem, seconds, seed)
    stops = len(one.problem.shipments)
    gap = percent(reference, best_known)
    rows = [Row(one.name, stops, "plain", seed, reference, 0, seconds, seconds, gap, 0.0)]
    for name in _ENGINES:
        found: Solved = alone(solve, name, one.problem, seconds, seed)
        cost = found.plan.cost
        rows.append(
            Row(
                one.name,
                stops,
                name,
                seed,
                cost,
                len(found.plan.routes),
                round(found.wall_s, 2),
                round(found.cpu_s, 2),
                percent(cost, best_known),
                percent(cost, reference),
            )
        )
    said(one.name, *(f"{row.engine} {row.gap_best_known}" for row in rows))
    return rows


def by_size(rows: list[Row]) -> dict[str, object]:
    """Return mean and worst gap to the best known of each engine in each class of size."""
    figures: dict[str, object] = {}
    for key, (least, most) in _SIZES.items():
        means, worst = {}, {}
        for name in (*_ENGINES, "plain"):
            gaps = [
                row.gap_best_known
                for row in rows
                if row.engine == name
                and least <= row.stops <= most
                and row.gap_best_known is not None
            ]
            means[name] = round(mean(gaps), 3) if gaps else None
            worst[name] = round(max(gaps), 3) if gaps else None
        figures[key], figures[f"{key}_worst"] = means, worst
    return figures


def gap_2000(seconds: float, seeds: int) -> dict[str, float]:
    """Return the mean gap to plain PyVRP on 2,000 stops with windows."""
    gaps: dict[str, list[float]] = {name: [] for name in _ENGINES}
    for seed in range(seeds):
        problem = windows(3 + seed)
        reference = alone(plain, problem, seconds, seed)
        for name in _ENGINES:
            found = alone(solve, name, problem, seconds, seed)
            gap = percent(found.plan.cost, reference)
            if gap is not None:
                gaps[name].append(gap)
            said("2,000 stops", name, gap, f"{found.wall_s:.2f} s")
    return {name: round(mean(some), 3) for name, some in gaps.items() if some}


def dispatches(seconds: float, seeds: int) -> dict[str, object]:
    """Return the figures of the realistic dispatch: from cold, and with 20 new orders."""
    gaps: list[float] = []
    ratios: dict[str, list[float]] = {name: [] for name in _ENGINES}
    kept: dict[str, list[float]] = {name: [] for name in _ENGINES}
    for seed in range(seeds):
        after = dispatch(7 + seed)
        before = without_last(after, _NEW_ORDERS)
        cold = {name: alone(solve, name, before, seconds, seed) for name in _ENGINES}
        gap = percent(cold["ortools"].plan.cost, cold["pyvrp"].plan.cost)
        assert gap is not None
        gaps.append(gap)
        again = {name: alone(solve, name, after, seconds, seed) for name in _ENGINES}
        best_cold = min(one.plan.cost for one in again.values())
        for name in _ENGINES:
            plan = cold[name].plan
            found = alone(solve, name, after, seconds / 5, seed, started_from(plan))
            ratios[name].append(found.plan.cost / best_cold)
            kept[name].append(neighbours_kept(plan, found.plan))
        said("dispatch", seed, gap, ratios, kept)
    return {
        "gap_dispatch": {"ortools": round(mean(gaps), 3), "pyvrp": 0.0},
        "replan_2s_over_cold_10s": {n: round(mean(some), 4) for n, some in ratios.items()},
        "neighbours_kept": {n: round(mean(some), 3) for n, some in kept.items()},
    }


def started_from(plan: Plan) -> WarmStart:
    """Return a plan as the start of the next."""
    routes = [
        Started(route.vehicle, tuple(stop.shipment for stop in route.stops))
        for route in plan.routes
    ]
    return WarmStart(tuple(routes), _STABILITY)


def neighbours_kept(before: Plan, after: Plan) -> float:
    """Return the share of pairs on one route that still share one."""

    def pairs(plan: Plan) -> set[tuple[str, str]]:
        names = [sorted(stop.shipment for stop in route.stops) for route in plan.routes]
        return {(a, b) for some in names for i, a in enumerate(some) for b in some[i + 1 :]}

    old = pairs(before)
    return len(old & pairs(after)) / max(1, len(old))


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", choices=("instances", "2000", "dispatch"), default=None)
    parser.add_argument("--json", default="-")
    options = parser.parse_args()
    figures: dict[str, object] = {}
    rows: list[Row] = []
    if options.only in (None, "instances"):
        paths = [p for p in sorted(options.instances.iterdir()) if p.suffix in (".vrp", ".txt")]
        for path in paths:
            for seed in range(options.seeds):
                rows += run_instance(load(path), options.seconds, seed)
        figures |= by_size(rows)
    if options.only in (None, "2000"):
        figures["gap_2000"] = gap_2000(6 * options.seconds, options.seeds)
    if options.only in (None, "dispatch"):
        figures |= dispatches(options.seconds, options.seeds)
    write_line(figures | {"rows": [asdict(row) for row in rows]}, options.json)


if __name__ == "__main__":
    main()
