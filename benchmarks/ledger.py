"""The ledger: how many orders a second, of how many that PostgreSQL could take; how soon; on what.

Prints one JSON line. On a platform of its own, with Apache Kafka, PostgreSQL (fsync on), the ledger
as a separate process and what measures it on the same machine; shard by shard one pool of three
warehouses, skus by Zipf's law, two lines an order on average, enough stock.

`orders_per_s`: the orders are on the topic before the ledger is started; from the moment that it
took its partitions over until all are taken, committed and published.

`limit_orders_per_s`: afterwards, on a copy of the ledger's database as it was before, the same rows
are written in the same transactions by bare `INSERT ... SELECT FROM unnest(...)`, one connection a
shard, one statement a table and batch, arguments made before: what PostgreSQL takes from a client
that decides nothing. `limit_by_copy_orders_per_s`: the same with COPY for the tables that only
grow. How the rows are found is told in `ledger_bench/rows.py`; `rows_repeated` is their share of
those that PostgreSQL counted for the ledger, and `wal_bytes_an_order` compares what it cost.

`one_per_txn_orders_per_s`: the usual way, an order a transaction with row locks, by hand; the best
of several numbers of connections.

`p50_ms_half_rate`, `p99_ms_half_rate`: the ledger is started again, and orders come evenly at half
of orders_per_s; from the moment that one is handed to the producer until the last of its
StockReserved has been read from restock.stock.v1. Before that, each order is checked to have had
each of its lines reserved once.

`p50_ms_late_entry`, `max_ms_late_entry`: the same way, receipts and counts of a time before nearly
all orders, of the skus that move most, until their StockLevelChanged has been read.

`reads_per_s`, `reads_p99_ms`: questions for the availability of one sku, while the ledger works on
a backlog as fast as it can, which is `reads_while_orders_per_s`; `reads_of_1000_...`: of 1,000.

The first number of shards is measured wholly; each has its rate, its limit and its waits for locks
in `by_shards`.
"""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from _report import arguments, report, said
from ledger_bench.run import Options, Run
from restock_local.folders import run_folder, state_folder
from restock_local.platform.choose import choose

_COMPARED = ("orders_per_s", "limit_orders_per_s", "share_of_limit", "cpu_us_an_order")
_WAITS = ("looks_for_waits", "row_lock_waits", "other_lock_waits")


async def measure(options: Options, platform_name: str, shards: list[int]) -> dict[str, Any]:
    """Run everything, each number of shards on a platform of its own; return the figures."""
    figures: dict[str, Any] = {}
    by_shards = {}
    for number in shards:
        said("shards:", number)
        with run_folder(state_folder()) as folder:
            async with choose(platform_name, folder) as platform:
                whole = not figures
                asked = options if whole else replace(options, profile=None)
                found = await Run(asked, number, platform, folder).measure(whole=whole)
                by_shards[str(number)] = {name: found[name] for name in _COMPARED + _WAITS}
                figures = figures or {**found, **platform.info()}
    return {
        "benchmark": "ledger",
        "orders": options.orders,
        "skus": options.skus,
        "shards": shards[0],
        **figures,
        "by_shards": by_shards,
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
    }


def main() -> int:
    """Read the arguments, measure, write one JSON line."""
    parser = arguments("ledger", __doc__)
    parser.add_argument("--orders", type=int, default=200_000)
    parser.add_argument("--skus", type=int, default=10_000)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--latency-s", type=float, default=20.0, help="how long, in seconds")
    parser.add_argument("--reads-s", type=float, default=10.0, help="how long, in seconds")
    parser.add_argument("--clients", type=int, default=8, help="who ask for availability")
    parser.add_argument("--usual-orders", type=int, default=9_000, help="an order a transaction")
    parser.add_argument("--profile", type=Path, metavar="PATH", help="of the writer, by py-spy")
    given = parser.parse_args()
    options = Options(
        orders=given.orders,
        skus=given.skus,
        latency_s=given.latency_s,
        reads_s=given.reads_s,
        clients=given.clients,
        usual_orders=given.usual_orders,
        profile=given.profile,
    )
    return report(measure(options, given.platform, given.shards), given.json)


if __name__ == "__main__":
    raise SystemExit(main())
