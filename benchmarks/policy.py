"""The replenisher's policies: what they cost, beside what else could be done.

Prints one JSON line. `cost_ratio_to_true_parameters`: on made-up demand, drawn from processes
fitted to the panel `top500`, least-cost by what is learned over the same policy told what is true.
`cost_ratio_to_optimal`: on stationary single items of it with backorders, the policy's mean cost
over that of the exact (s, S) optimum, both computed; `_learned`: at the levels that it sets by what
is learned by the end of the year.

On the real panels, each row beginning with the same stock after 8 weeks of history, with lead times
of 3 to 14 days drawn alike: `cost_ratio_to_moving_average` is the geometric mean over panels, b/h
and backorders or lost sales; the rows have each, and the cost over a clairvoyant's as context.
What costs and settings are made of is in `restock_local/simulate/setting.py`, the moving average in
`planners.py` beside it.

`fill_rates`: with a target as the aim, what is unmet over what is allowed by segment, and the mean
stock value over what the moving average needs for the same realised fill rate.
"""

import argparse
from datetime import timedelta
from statistics import geometric_mean

from threadpoolctl import threadpool_limits

from _report import arguments, said, write_line
from policy_bench import real, synthetic
from restock_local.backtest import panels
from restock_local.simulate.setting import WARM_UP_DAYS

_PARTS = ("synthetic", "costs", "fill-rates")
DEFAULT_LEARNER = "global-mixture"


def measure(given: argparse.Namespace) -> dict[str, object]:
    """Return the figures of the parts that are asked for."""
    figures: dict[str, object] = {
        "benchmark": "policy",
        "seed": given.seed,
        "learner": given.learner,
    }
    cost_rows: list[dict[str, object]] = []
    fill_rows: list[dict[str, object]] = []
    until = panels.START + timedelta(days=WARM_UP_DAYS)
    for name in panels.PANELS:
        data = panels.load(name, sample_seed=given.seed, until=until)
        if name == panels.PANELS[0] and "synthetic" in given.parts:
            figures |= synthetic.measure(data, seed=given.seed, learner=given.learner)
        if not {"costs", "fill-rates"} & set(given.parts):
            break
        forecasts = real.forecasts_of(data, given.learner, given.seed)
        if "costs" in given.parts:
            cost_rows += real.costs(data, forecasts, given.seed)
        if "fill-rates" in given.parts:
            fill_rows += real.fill_rates(data, forecasts, given.seed)
    if cost_rows:
        for name in ("cost_ratio_to_moving_average", "cost_ratio_to_clairvoyant"):
            figures[name] = geometric_mean([float(str(row[name])) for row in cost_rows])
        figures["costs"] = cost_rows
    if fill_rows:
        name = "stock_ratio_same_fill"
        figures[name] = max(float(str(row[name])) for row in fill_rows)
        figures["fill_rates"] = fill_rows
    said("done")
    return figures


def main() -> int:
    """Read the arguments, measure, write one JSON line."""
    parser = arguments("policy", __doc__, platform=None)
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS))
    parser.add_argument("--seed", type=int, default=1, help="draws demand, panel and lead times")
    parser.add_argument("--learner", default=DEFAULT_LEARNER)
    given = parser.parse_args()
    threadpool_limits(1)  # as the services do: their matrices are small
    write_line(measure(given), given.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
