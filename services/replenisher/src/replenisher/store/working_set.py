"""The working set of a batch in PostgreSQL: a few statements, whatever the batch's size.

Locks, always taken in this order: the cursor (by the inbox), the reviews' lock (shared by batches
and commands, alone for a review, so that it sees none half done), positions by key, purchase orders
by id, suppliers by name. Two members of the group may hold stock and forecasts of one sku.
"""

from collections.abc import Sequence

from replenisher.domain.model import Place, WorkingSet
from replenisher.domain.orders import OrderCommand, OrdersLate
from replenisher.domain.review import ReviewDue
from replenisher.store.loading import (
    load_for_review,
    load_lead_times,
    load_orders,
    load_positions,
    lock_reviews,
    orders_of_lines,
    places_of_lines,
)
from replenisher.store.saving import (
    save_commands,
    save_lead_times,
    save_orders,
    save_positions,
    save_receipts,
    save_reviews,
    save_risks,
)
from replenisher.store.sendings import queue_sendings
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.stock import Level, StockReceived
from restock_common.postgres import Connection


class PostgresStore:
    """The working sets of one database."""

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> WorkingSet:
        """Return what the messages need, locked until the transaction ends."""
        events = [message.event for message in messages]
        for event in events:
            if isinstance(event, ReviewDue):
                return await load_for_review(connection, event)
        await lock_reviews(connection, alone=False)
        state = WorkingSet()
        received = [event for event in events if isinstance(event, StockReceived)]
        places = {
            Place(event.sku, event.location)
            for event in events
            if isinstance(event, Level | DemandForecast)
        }
        cited = {event.order_line for event in received if event.order_line is not None}
        named = {event.purchase_order for event in events if isinstance(event, OrderCommand)}
        for event in events:
            if isinstance(event, OrdersLate):
                named.update(event.purchase_orders)
        places |= await places_of_lines(connection, cited, named)
        await load_positions(connection, state, places)
        if cited or named:
            named |= await orders_of_lines(connection, cited)
            await load_orders(connection, state, named, received)
        await load_lead_times(connection, state)
        return state

    async def save(self, connection: Connection, state: WorkingSet) -> None:
        """Write what changed."""
        await save_positions(connection, list(state.changed_positions()))
        await save_reviews(connection, state)
        await save_orders(connection, state)
        await queue_sendings(connection, state.to_send)
        await save_receipts(connection, state)
        await save_lead_times(connection, state)
        await save_commands(connection, state)
        await save_risks(connection, state)
