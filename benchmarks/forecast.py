"""The forecaster: what learning costs, how many events a worker takes, how soon one is ready again.

Prints one JSON line. `us_per_event`: to add one DemandObserved to its open day, in the learner
alone, as the three that follow. `us_per_close`: to close a day, divided by the keys that were
looked at: those that sold, and one in seven of the others; what all keys share is learned within
it. `us_per_forecast`: to foretell a key on all horizons. `bytes_per_key`: of a key's record at a
checkpoint, which holds two versions of it.

The others on platforms of their own, with the forecaster as a separate process and what
measures it on the same machine.

`worker_events_per_s`: demand of one open day is on the topic before the forecaster is started; from
the first record that it has taken to the last. `faust_events_per_s`: the same records, in the same
run, through an agent that does nothing with them. `worker_events_per_s_with_closes`: three further
days with their closes, learned and published.

`restart_million_keys_s`: from the start of a process that has its disk to its being ready, with a
million keys; `restore_million_keys_s`: without the disk, from the changelog. Where `--keys` says
another number, both have that number in their names' place: `restart_keys_s`, `restore_keys_s`.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from _report import arguments, report
from forecast_bench import learner, restart, worker
from forecaster.domain.state import DEFAULT_LEARNER
from restock_local.folders import run_folder, state_folder
from restock_local.platform.choose import choose

_MILLION = 1_000_000
_PARTS = ("learner", "worker", "restart")


async def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Run each part on a platform of its own; return the figures."""
    figures: dict[str, Any] = {"benchmark": "forecast", "learner": given.learner}
    if "learner" in given.parts:
        figures.update(learner.measure(given.learner))
    for part in [one for one in given.parts if one != "learner"]:
        with run_folder(state_folder()) as folder:
            async with choose(given.platform, folder) as platform:
                kafka = platform.broker.kafka
                figures.update(await _part(part, kafka, folder, given))
                figures.update(platform.info())
    return figures | {"python": sys.version.split()[0], "cores": os.cpu_count()}


async def _part(part: str, kafka: Any, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    if part == "worker":
        return dict(await worker.measure(kafka, folder, given.events))
    found = await restart.measure(kafka, folder, given.keys, given.learner)
    unit = "million_keys" if given.keys == _MILLION else "keys"
    return {
        f"restart_{unit}_s": found["restart_s"],
        f"restore_{unit}_s": found["restore_s"],
        "keys": found["keys"],
        "key_record_bytes": found["key_record_bytes"],
    }


def main() -> int:
    """Read the arguments, measure, write one JSON line."""
    parser = arguments("forecast", __doc__)
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS))
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--keys", type=int, default=_MILLION)
    parser.add_argument("--learner", default=DEFAULT_LEARNER)
    given = parser.parse_args()
    return report(measure(given), given.json)


if __name__ == "__main__":
    raise SystemExit(main())
