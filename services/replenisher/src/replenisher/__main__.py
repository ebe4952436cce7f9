"""The composition root: `python -m replenisher`."""

import asyncio

import uvloop

from replenisher.api import make_api
from replenisher.api.desk import Desk
from replenisher.settings import ReplenisherSettings
from replenisher.store import (
    PostgresAgenda,
    PostgresCommands,
    PostgresSendings,
    PostgresStore,
    PostgresViews,
)
from replenisher.store.figures import PostgresFigures
from replenisher.stream import Replenishment, Reviewer
from replenisher.stream.sender import Sender, smtp_post
from restock_common import telemetry
from restock_common.contracts.topics import FORECASTS, STOCK
from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Service, Stream, Watch
from restock_common.settings import read_settings

NAME = "replenisher"
LINGER_MS = 500
"""Under load a level is looked at in large batches: a small one costs its transaction, no less."""


async def serve(settings: ReplenisherSettings) -> int:
    """Put the service together and run it; return the exit code."""
    database = Database(settings.database_url.get_secret_value())
    producer = Producer(settings)
    reader = CatalogueReader(settings)
    policy = settings.policy()
    told = asyncio.Event()
    sendings = PostgresSendings(database)
    smtp = settings.smtp_url
    sender = Sender(
        sendings,
        None if smtp is None else smtp_post(smtp.get_secret_value(), settings.sending_timeout_s),
        mail_from=settings.mail_from,
        timeout_s=settings.sending_timeout_s,
        allow_private=settings.sending_private_allowed,
    )
    stream = Stream(
        service=NAME,
        kafka=settings,
        inbox=PostgresInbox(database),
        producer=producer,
        application=Replenishment(PostgresStore(), reader.catalogue, policy),
        topics=[STOCK, FORECASTS],
        linger_ms=LINGER_MS,
    )

    async def opening() -> None:
        await database.open()
        await database.migrate(["restock_common", "replenisher"])
        await producer.start()

    async def closing() -> None:
        await producer.stop()
        await database.close()

    service = Service(
        NAME,
        settings,
        make_api(
            PostgresViews(database),
            reader.catalogue,
            policy,
            Desk(
                PostgresCommands(database),
                told,
                settings.admin_key,
                sendings,
                allow_private=settings.sending_private_allowed,
            ),
        ),
        # In this order progress is asked too: what is pending, after what has been taken.
        [
            reader,
            stream,
            Reviewer(stream, PostgresAgenda(database, reader.catalogue), told),
            sender,
            Watch(PostgresFigures(database).tell),
        ],
        opening,
        closing,
    )
    return await service.run()


def main() -> int:
    """Run the service until it is told to stop; return the exit code."""
    settings = read_settings(ReplenisherSettings)
    telemetry.configure(NAME, settings)
    return uvloop.run(serve(settings))


if __name__ == "__main__":
    raise SystemExit(main())
