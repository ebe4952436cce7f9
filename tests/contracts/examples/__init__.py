"""One example of every event, every field set: what the golden files are made from."""

from tests.contracts.examples import buying, goods, orders, others, stock
from tests.contracts.examples.common import NINE

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message, Position

EXAMPLES: dict[str, Event] = {
    event.type_name(): event
    for part in (orders, goods, stock, buying, others)
    for event in part.EXAMPLES
}
"""An example by its CloudEvents type."""


def message_of(event: Event) -> Message[Event]:
    """Return the message that a golden file of this event holds."""
    return Message(
        id="0123456789abcdef0123456789abcdef",
        source="/restock/stock-ledger/restock.ledger.v1/1",
        time=NINE,
        event=event,
        position=Position(incarnation=1, sequence=4711),
        cause="fedcba9876543210fedcba9876543210",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
