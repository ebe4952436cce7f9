"""The door within the test's own process, on a real database and a real broker."""

from tests.unit.order_ingest.sample import SEAL, catalogue, customers

from order_ingest.domain.sandbox import is_test
from order_ingest.handlers import Clock, Desk, Door, MasterData, Outlet, Sandboxes
from order_ingest.store import (
    PostgresOrderBook,
    PostgresRegister,
    PostgresSpool,
    PostgresWaitingRoom,
)
from restock_common.kafka import Producer
from restock_common.postgres import Database


class Read:
    """Master data that has been read."""

    def __init__(self) -> None:
        self.catalogue = catalogue()

    def not_ready(self) -> None:
        """Return nothing that is missing."""
        return

    async def read_to_now(self) -> None:
        """Have read all there is."""


def door(
    database: Database,
    producer: Producer,
    *,
    patience_s: float = 30.0,
    master_data: MasterData | None = None,
    sandboxes: Sandboxes = is_test,
    replay: bool = True,
) -> Door:
    """Return a door; several on one database are as replicas are."""
    return Door(
        desk=Desk(
            master_data=Read() if master_data is None else master_data,
            clock=Clock(replay=replay),
            outlet=Outlet(producer, PostgresSpool(database), patience_s=patience_s),
            sandboxes=sandboxes,
        ),
        database=database,
        book=PostgresOrderBook(),
        register=PostgresRegister(),
        customers=customers(database),
        room=PostgresWaitingRoom(SEAL),
        seal=SEAL,
    )
