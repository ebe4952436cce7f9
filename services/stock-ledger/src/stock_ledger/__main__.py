"""The composition root of the stock-ledger: `python -m stock_ledger`."""

import uvloop

from restock_common import telemetry
from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import Service
from restock_common.runtime.catalogue import CatalogueReader
from restock_common.settings import read_settings
from stock_ledger import store
from stock_ledger.api import create_api
from stock_ledger.audit.live import LiveAudit
from stock_ledger.settings import LedgerSettings
from stock_ledger.stream import SERVICE, ledger_stream
from stock_ledger.stream.costs import CatalogueCosts


async def run(settings: LedgerSettings) -> int:
    """Serve until told to stop; return the exit code."""
    database = Database(settings.database_url.get_secret_value())
    producer = Producer(settings)
    inbox = PostgresInbox(database, keep_journal=True)
    stream = ledger_stream(settings, inbox, producer, store, rules=settings.rules)
    catalogue = CatalogueReader(settings)
    audit = LiveAudit(
        store.Auditor(database),
        lambda: [partition.number for partition in stream.owned],
        settings.audit_every_s,
    )

    async def opening() -> None:
        await database.open()
        await database.migrate(["restock_common", "stock_ledger"])
        await producer.start()

    async def closing() -> None:
        await producer.stop()
        await database.close()

    service = Service(
        SERVICE,
        settings,
        create_api(store.PostgresQueries(database), CatalogueCosts(catalogue)),
        [stream, catalogue, audit],
        opening,
        closing,
    )
    return await service.run()


def main() -> None:
    """Read the environment, set up telemetry, run."""
    settings = read_settings(LedgerSettings)
    telemetry.configure(SERVICE, settings)
    raise SystemExit(uvloop.run(run(settings)))


if __name__ == "__main__":
    main()
