"""The composition root: `python -m dispatcher`."""

import uvloop

from dispatcher.api import Deliveries, Drivers, create_api
from dispatcher.settings import Settings
from dispatcher.store import PostgresDispatches, load, save
from dispatcher.stream.fulfilment import Fulfilment
from dispatcher.stream.planner import Planner
from dispatcher.stream.watch import Planned, waves_due
from dispatcher.stream.worker import Solver
from restock_common import telemetry
from restock_common.contracts.topics import FULFILMENT
from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Service, Stream, Watch
from restock_common.settings import read_settings

SERVICE = "dispatcher"
LINGER_MS = 50
"""Nothing here waits for less: a wave gathers for hours."""


def build(settings: Settings) -> Service:
    """Return the service, wired and not yet started."""
    rules = settings.rules()
    database = Database(settings.database_url.get_secret_value())
    producer = Producer(settings)
    reader = CatalogueReader(settings)
    dispatches = PostgresDispatches(database)
    stream = Stream(
        service=SERVICE,
        kafka=settings,
        inbox=PostgresInbox(database),
        producer=producer,
        application=Fulfilment(rules, load, save),
        topics=[FULFILMENT],
        linger_ms=LINGER_MS,
        concurrent=True,
    )
    stream.committed = Planned(reader.catalogue, settings.driver_cost_per_hour)
    solvers = [Solver(settings.effort()) for _ in range(settings.solver_workers)]
    planner = Planner(stream, dispatches, reader, solvers, rules)
    watch = Watch(waves_due(dispatches.unplanned))
    api = create_api(
        Deliveries(stream, dispatches),
        Drivers(stream, dispatches, reader),
        dispatches,
        admin_key=settings.admin_key,
    )

    async def opening() -> None:
        await database.open()
        await database.migrate(["restock_common", "dispatcher"])
        await producer.start()

    async def closing() -> None:
        await producer.stop()
        await database.close()

    # the planner's progress is sound only when it is asked after the stream's
    return Service(SERVICE, settings, api, [reader, stream, planner, watch], opening, closing)


async def main() -> int:
    """Run the service; return the exit code."""
    settings = read_settings(Settings)
    telemetry.configure(SERVICE, settings)
    return await build(settings).run()


if __name__ == "__main__":
    raise SystemExit(uvloop.run(main()))
