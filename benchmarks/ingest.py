"""The door: how many orders a second, one by one, in bulk and by Kafka; how soon; on what.

Prints one JSON line. On a platform of its own, with Apache Kafka, PostgreSQL (fsync on), the door
as a separate process, and the sender on the same machine; 1,000 products, two lines an order.

`single_per_s`: orders are sent one a request over several connections, as fast as they are answered
202. `bare_per_s`: the same requests to the same server (uvicorn, FastAPI, the middlewares and
limits of every service) whose only handler reads nothing and answers 202. The two take turns;
`shares_by_turn`: how the share of one in the other went from turn to turn.

`bulk_orders_per_s`: orders as NDJSON, each line's answer is looked at. `bare_produce_per_s`: the
records that the door has published of them are published again as they are, by the same producer
with nothing before it: a call for each, as many at once as a request has lines.
`bare_batched_per_s`: the same, handed over at once and put into batches by hand, as the door does.

`bulk_share_of_produce` compares with the calls, not with the batches: a produce call is what a
program makes that publishes what it has (`AIOKafkaProducer.send_and_wait`, acks=all, idempotent,
the same linger and batch size), thousands at once.

`kafka_door_orders_per_s`: orders are put on restock.storefront-orders.v1, until all are decided and
published.

`p50_ms`, `p99_ms`: single orders come evenly at half of single_per_s; from the moment that one is
due until it is answered. `rss_mb`: what the door holds at the end; `rss_mb_at_start`,
`rss_mb_after_bulk`: and before; `rss_mb_every_10_s`: with `--memory-s`, while orders come evenly at
half of single_per_s for so long.

`single_cpu_us`, `bare_cpu_us`: processor time of the server for one request;
`cpu_us_by_part`: and of PostgreSQL, the broker and the sender, each with all its processes.
"""

import os
import sys
from pathlib import Path
from typing import Any

from _report import arguments, report
from ingest_bench.run import Options, Run
from restock_local.folders import run_folder, state_folder
from restock_local.platform.choose import choose


async def measure(options: Options, platform_name: str) -> dict[str, Any]:
    """Run everything on a platform of its own; return the figures."""
    with run_folder(state_folder()) as folder:
        async with choose(platform_name, folder) as platform:
            return {
                "benchmark": "ingest",
                "orders": options.orders,
                "bulk_orders": options.bulk_orders,
                "connections": options.connections,
                **await Run(options, platform, folder).measure(),
                **platform.info(),
                "python": sys.version.split()[0],
                "cores": os.cpu_count(),
            }


def main() -> int:
    """Read the arguments, measure, write one JSON line."""
    parser = arguments("ingest", __doc__)
    parser.add_argument("--orders", type=int, default=20_000, help="one a request")
    parser.add_argument("--bulk-orders", type=int, default=40_000, help="as NDJSON")
    parser.add_argument("--bulk-lines", type=int, default=2_000, help="orders a request of those")
    parser.add_argument("--kafka-orders", type=int, default=40_000, help="by the raw topic")
    parser.add_argument("--connections", type=int, default=128, help="one order a request")
    parser.add_argument("--bulk-connections", type=int, default=4, help="NDJSON")
    parser.add_argument("--latency-s", type=float, default=15.0, help="how long, in seconds")
    parser.add_argument("--memory-s", type=float, default=0.0, help="memory at half rate; 0: not")
    parser.add_argument("--skus", type=int, default=1_000)
    parser.add_argument("--profile", type=Path, metavar="PATH", help="of the door, by py-spy")
    given = vars(parser.parse_args())
    path, platform = given.pop("json"), given.pop("platform")
    return report(measure(Options(**given), platform), path)


if __name__ == "__main__":
    raise SystemExit(main())
