"""The door: all that can be said to it, over one desk."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from order_ingest.domain import checks
from order_ingest.domain.checks import Known
from order_ingest.domain.findings import Conflict, Refused
from order_ingest.domain.requests import OrderRequest
from order_ingest.handlers.arrivals import BY_HTTP, Arrivals
from order_ingest.handlers.customers import Customers
from order_ingest.handlers.desk import Desk
from order_ingest.handlers.devices import Devices
from order_ingest.handlers.goods import Goods
from order_ingest.handlers.holds import Holds
from order_ingest.handlers.letters import Letters
from order_ingest.handlers.master_data import Entities
from order_ingest.handlers.orders import Orders
from order_ingest.handlers.ports import Accepted, OrderBook, Register
from order_ingest.handlers.scans import Scans
from order_ingest.handlers.transfers import Transfers
from order_ingest.handlers.waiting import Waiting, WaitingRoom
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import SHARDS
from restock_common.errors import Permanent
from restock_common.postgres import Database
from restock_common.sealing import Seal

CLOCK_SOURCE = "/restock/order-ingest/clock"


class Door:
    """Takes in what the world sends, and answers once the event is durable.

    Args:
        desk: What every door stands on.
        database: Where the order book and the register are.
        book: The order book.
        register: Remembers carts, transfers and expected receipts.
        customers: Keeps who gets orders, and knows what is told of customers.
        room: Where commands wait for what they are about.
        seal: Encrypts what dead letters hold.

    Attributes:
        clock: The time that counts.
        customers: Keeps who gets orders.
        orders: Takes orders, amendments, cancellations and returns.
        holds: Takes carts.
        goods: Takes receipts, counts, adjustments, expected receipts and policies.
        scans: Takes what scanners say.
        devices: Takes what devices say over MQTT.
        transfers: Takes transfers.
        entities: Takes master data.
        letters: Keeps what can never be handled.
        sandboxes: Tells whose orders and carts never reach the ledger.
        arrivals: What was heard of shops lately.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        database: Database,
        book: OrderBook,
        register: Register,
        customers: Customers,
        room: WaitingRoom,
        seal: Seal,
    ) -> None:
        self._desk = desk
        self.sandboxes = desk.sandboxes
        self.clock = desk.clock
        self.customers = customers
        self.arrivals = Arrivals()
        self.letters = Letters(desk, seal, customers.privacy)
        self._waiting = Waiting(desk, self.letters, database, room)
        self.orders = Orders(desk, database, book, register, customers, self._waiting)
        self.holds = Holds(desk, database, register, self._waiting, customers.privacy)
        self.goods = Goods(desk, database, register)
        self.scans = Scans(desk, self.goods)
        self.devices = Devices(self.letters, self.goods, self.scans)
        self.transfers = Transfers(desk, database, register)
        self.entities = Entities(desk)

    def known(self) -> Known:
        """Return what inputs are checked against now. Raises Transient before it has been read."""
        return self._desk.known()

    async def place(
        self, shop: str, requests: Sequence[OrderRequest | Refused]
    ) -> Sequence[Accepted | Permanent]:
        """Take orders that a shop sends by HTTP; see `Orders.place`."""
        answers = await self.orders.place(shop, requests)
        placed = [one.placed_at for one in requests if isinstance(one, OrderRequest)]
        if placed:
            new = sum(isinstance(one, Accepted) and one.new for one in answers)
            self.arrivals.note(shop, BY_HTTP, "order", told_at=max(placed), orders=new)
        return answers

    def may_miss(self) -> bool:
        """Return whether master data that was told may wait in the spool."""
        return self._desk.may_miss()

    async def deliver_waiting(self) -> None:
        """Deliver what waits for what is there by now. Raises Transient: the rest waits on."""
        async for about, subject in self._waiting.deliverable():
            await (self.orders if about == "order" else self.holds).deliver(subject)

    async def give_up_waiting(self, age: timedelta) -> None:
        """Make dead letters of what has waited for too long. Raises Transient."""
        await self._waiting.give_up(age)

    async def advance(self, until: datetime, *, keep: bool = True) -> None:
        """Say on every shard that everything before `until` has been sent.

        Args:
            until: The time that has come.
            keep: Whether it is spooled while Kafka is away; not where it is soon said again.

        Raises:
            Refused: It lies ahead of the system's time by more than a day.
            Conflict: A later time has been said.
            Transient: It may have been said on some shards: say it again.
        """
        checks.check_time("until", until, datetime.now(UTC))
        said = self.clock.said
        if said is not None and until < said:
            raise Conflict(f"time stands at {said.isoformat()}", field="until")
        event = TimeAdvanced(until=until)
        await self._desk.publish(
            [
                self._desk.entry(
                    derive_id("time-advanced", until, shard),
                    event,
                    shard,
                    time=until,
                    source=CLOCK_SOURCE,
                )
                for shard in range(SHARDS)
            ],
            keep=keep,
        )
        self.clock.said = until
