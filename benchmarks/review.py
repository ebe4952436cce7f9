"""A review of many places: from rows in PostgreSQL to proposals that are committed there.

Prints one JSON line. `review_million_s`: from the first look at the agenda to the last commit, over
`--places` of 1,000 suppliers, of which 5 % are in need and 100 suppliers' budgets bind; where
another number of places is named it is `review_s`. `review_rss_gb`: the most memory that this
process, which runs the service's own code, has had. `review_gap`: what the plans of the suppliers
whose budget binds save less than their Lagrangian bound, as a share of it; `review_bound` is that
bound, in money. Nothing is published: the journal with every event is part of what is committed.
"""

import argparse
import os
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from _report import arguments, report, said
from replenisher.domain.model import WorkingSet
from replenisher.domain.terms import Policy
from replenisher.store import PostgresAgenda, PostgresStore
from replenisher.stream import REVIEWED_ON, Replenishment, review_message
from restock_common.contracts.catalogue import Catalogue, Product, Supplier, SupplierTerms
from restock_common.contracts.topics import FORECASTS, SHARDS, STOCK
from restock_common.kafka import partition_of
from restock_common.postgres import Connection, Database, PostgresInbox
from restock_common.runtime.garbage import uncollected
from restock_common.transact import Application, Partition, Writer, act
from restock_local.folders import run_folder, state_folder
from restock_local.platform.choose import choose

_MILLION = 1_000_000
SUPPLIERS, LOCATIONS, BOUND = 1_000, 4, 100
_CUT_AT = datetime(2026, 1, 5, tzinfo=UTC)
_BUDGET = 8_000.0
_KIB_PER_GB = 1024.0 * 1024.0

# One place in twenty has next to nothing, the others forty days' demand; rates are those of
# slow and fast sellers alike, from one unit in a month to twenty a day.
_PLACES = """
    INSERT INTO positions (sku, location, on_hand, learned_until, horizons)
    SELECT 'sku-' || lpad((n / $2)::text, 7, '0'), 'W' || (n % $2),
        CASE WHEN n::bigint * 2654435761 % 1000003 % 20 = 7 THEN floor(rate)::bigint
            ELSE ceil(rate * 40)::bigint + 5 END,
        $3, jsonb_build_object('days', ARRAY[1, 3, 7, 14, 28],
            'mean', ARRAY[rate, rate * 3, rate * 7, rate * 14, rate * 28],
            'size', ARRAY[0.8, 1.2, 2.0, 3.0, 4.0])
    FROM generate_series(0, $1 - 1) AS n,
        LATERAL (SELECT round((0.03 * power(660, ((n / $2) * 7919 % 997) / 997.0))::numeric, 4)
            ::double precision AS rate) AS rates
"""


def catalogue(places: int) -> Catalogue:
    """Return the suppliers, their goods, and the budgets of those whose budget binds."""
    skus = -(-places // LOCATIONS)
    found = Catalogue()
    for number in range(SUPPLIERS):
        found.apply(Supplier(supplier=f"supplier-{number:04}", lead_time_days_sd=0.5))
        if number < BOUND:
            name = f"supplier-{number:04}"
            terms = SupplierTerms(terms=name, supplier=name, weekly_budget=_BUDGET)
            found.apply(terms)
    for number in range(skus):
        found.apply(
            Product(
                sku=f"sku-{number:07}",
                supplier=f"supplier-{number % SUPPLIERS:04}",
                unit_cost=1.0 + number * 31 % 1900 / 100,
                pack_size=1 + number % 6,
            )
        )
    return found


async def prepare(database: Database, inbox: PostgresInbox, places: int) -> int:
    """Fill the tables, let every source have spoken; return the reviewer's epoch."""
    await database.migrate(["restock_common", "replenisher"])
    async with database.connection() as connection:
        await connection.execute(_PLACES, places, LOCATIONS, _CUT_AT - timedelta(hours=1))
        await connection.execute("VACUUM ANALYZE positions")
    for topic, sources in ((STOCK, SHARDS), (FORECASTS, 1)):
        for number in range(topic.partitions):
            await inbox.take_over(Partition(topic.name, number))
            marks = {f"/{source}": _CUT_AT.isoformat() for source in range(sources)}
            async with database.connection() as connection:
                await connection.execute(
                    "UPDATE cursors SET watermarks = $3 WHERE topic = $1 AND partition = $2",
                    topic.name,
                    number,
                    marks,
                )
    return (await inbox.take_over(REVIEWED_ON)).epoch


async def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Make the review; return the figures."""
    with run_folder(state_folder()) as folder:
        async with choose(given.platform, folder) as platform:
            url = await platform.databases.new_database("review")
            database = Database(url, patience_s=600)
            await database.open()
            try:
                return {**await _measured(database, given.places), **platform.info()}
            finally:
                await database.close()


async def _measured(database: Database, places: int) -> dict[str, Any]:
    inbox = PostgresInbox(database)
    epoch = await prepare(database, inbox, places)
    said(f"{places:,} places are there")
    known = catalogue(places)
    agenda = PostgresAgenda(database, known)
    application: Application[Connection, WorkingSet] = Replenishment(
        PostgresStore(), known, Policy()
    )
    writer = Writer("replenisher", partition_of)
    started = time.monotonic()
    while (due := await agenda.due_review()) is not None:
        with uncollected():
            await act(inbox, application, writer, REVIEWED_ON, epoch, [review_message(due)])
        said(f"{len(due.suppliers)} suppliers reviewed")
    took = time.monotonic() - started
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT sum(order_lines) AS lines, sum(purchase_orders) AS orders,"
            " sum(deferred) AS deferred, count(bound) AS bound_suppliers,"
            " sum(value) AS value, sum(bound) AS bound FROM reviews"
        )
    assert row is not None, "reviews were made"
    return {
        "benchmark": "review",
        "review_million_s" if places == _MILLION else "review_s": round(took, 2),
        "review_rss_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_GB, 3),
        "review_gap": round((row["bound"] - row["value"]) / row["bound"], 6),
        "review_bound": round(row["bound"], 2),
        "places": places,
        "suppliers": SUPPLIERS,
        "budgets_binding": row["bound_suppliers"],
        "purchase_orders": row["orders"],
        "order_lines": row["lines"],
        "deferred": row["deferred"],
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
    }


def main() -> int:
    """Read the arguments, measure, write one JSON line."""
    parser = arguments("review", __doc__, platform="embedded")
    parser.add_argument("--places", type=int, default=_MILLION)
    given = parser.parse_args()
    return report(measure(given), given.json)


if __name__ == "__main__":
    raise SystemExit(main())
