"""The composition root of the stock-ledger: `python -m stock_ledger`."""

import uvloop
from fastapi import FastAPI

from restock_common import telemetry
from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import Component, Service
from restock_common.runtime.catalogue import CatalogueReader
from restock_common.settings import read_settings
from stock_ledger import store
from stock_ledger.api import bare_api, create_api, feed, webhooks
from stock_ledger.audit.live import LiveAudit
from stock_ledger.domain.webhooks import Schedule
from stock_ledger.settings import LedgerSettings
from stock_ledger.store import deliveries
from stock_ledger.store.levels import PostgresLevels
from stock_ledger.store.webhooks import PostgresWebhooks
from stock_ledger.stream import SERVICE, Changes, Deliverer, ledger_stream, webhook_stream
from stock_ledger.stream.costs import CatalogueCosts


def build(settings: LedgerSettings) -> Service:
    """Return the parts that this process's role asks for, wired and not yet started."""
    url = settings.database_url.get_secret_value()
    # Two pools: what is asked cannot take the writer's connections, nor the other way round.
    books, reading = Database(url), Database(url)
    producer = Producer(settings)
    changes = Changes(settings, clients_max=settings.feed_clients_max)
    api = bare_api()
    components: list[Component] = []
    if settings.role != "reader":
        components += _writing(settings, books, producer)
    if settings.role != "writer":
        catalogue = CatalogueReader(settings)
        api = _reading_api(settings, reading, changes, catalogue)
        components += [catalogue, changes]
        if settings.admin_key is not None:
            components += _delivering(settings, reading, producer)

    async def opening() -> None:
        await books.open()
        await books.migrate(["restock_common", "stock_ledger"])
        await reading.open()
        await producer.start()

    async def closing() -> None:
        await producer.stop()
        await reading.close()
        await books.close()

    return Service(SERVICE, settings, api, components, opening, closing, changes.end)


def _writing(
    settings: LedgerSettings, database: Database, producer: Producer
) -> tuple[Component, ...]:
    """Return what writes the books, and what checks them."""
    inbox = PostgresInbox(database, keep_journal=True)
    stream = ledger_stream(settings, inbox, producer, store, rules=settings.rules)
    audit = LiveAudit(
        store.Auditor(database),
        lambda: [partition.number for partition in stream.owned],
        settings.audit_every_s,
    )
    return stream, audit


def _reading_api(
    settings: LedgerSettings, database: Database, changes: Changes, catalogue: CatalogueReader
) -> FastAPI:
    """Return the look-ups, the live feed and the webhooks' routes."""
    api = create_api(store.PostgresQueries(database), CatalogueCosts(catalogue))
    levels = PostgresLevels(database)
    api.include_router(feed.router(changes, levels, heartbeat_s=settings.feed_heartbeat_s))
    api.include_router(
        webhooks.router(
            PostgresWebhooks(database),
            admin_key=settings.admin_key,
            allow_private=settings.webhooks_allow_private,
        )
    )
    return api


def _delivering(
    settings: LedgerSettings, database: Database, producer: Producer
) -> tuple[Component, ...]:
    """Return what queues messages for webhooks, and what delivers them."""
    stream = webhook_stream(settings, PostgresInbox(database), producer, deliveries)
    schedule = Schedule.parse(settings.webhooks_retry_s)
    deliverer = Deliverer(
        deliveries.PostgresDeliveries(database, schedule),
        stream.advanced,
        timeout_s=settings.webhooks_timeout_s,
        allow_private=settings.webhooks_allow_private,
    )
    return stream, deliverer


def main() -> None:
    """Read the environment, set up telemetry, run."""
    settings = read_settings(LedgerSettings)
    telemetry.configure(SERVICE, settings)
    raise SystemExit(uvloop.run(build(settings).run()))


if __name__ == "__main__":
    main()
