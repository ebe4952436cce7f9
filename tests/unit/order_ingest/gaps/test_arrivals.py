"""What was heard of shops, and is not written down yet."""

from datetime import UTC, datetime

from order_ingest.handlers import Arrivals

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_what_could_not_be_written_is_told_with_what_came_since() -> None:
    arrivals = Arrivals()
    arrivals.note("tea", "http", "order", told_at=NOW, orders=2)
    heard = arrivals.take()
    assert arrivals.take() == {}
    arrivals.note("tea", "kafka", "order", told_at=NOW, orders=3)
    arrivals.note("milk", "kafka", "order", told_at=NOW, orders=1)
    arrivals.give_back(heard)
    told = arrivals.take()
    assert {shop: (one.channel, one.orders) for shop, one in told.items()} == {
        "tea": ("kafka", 5),
        "milk": ("kafka", 1),
    }


def test_what_is_read_is_counted_and_says_nothing_of_when_the_shop_spoke() -> None:
    arrivals = Arrivals()
    arrivals.count("tea", found=1)
    arrivals.note("tea", "shopify", "orders/create", told_at=NOW, orders=1)
    arrivals.count("tea", found=2, orders=1)
    [one] = arrivals.take().values()
    assert (one.channel, one.kind, one.orders, one.found) == ("shopify", "orders/create", 2, 3)
