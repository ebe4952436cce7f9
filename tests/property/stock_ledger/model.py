"""The bystander: everything that is remembered beside the books, and compared with them."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from tests.property.stock_ledger.carts import Carts, Expectations
from tests.property.stock_ledger.decisions import check_decision, check_waiting, today_of
from tests.property.stock_ledger.entries import Entries
from tests.property.stock_ledger.goods import Goods
from tests.property.stock_ledger.orders import Orders, check_offers
from tests.property.stock_ledger.told import Told

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import TimeAdvanced
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.model import Account
from stock_ledger.domain.rules import Rules


class Model:
    """What a bystander knows of all shards."""

    def __init__(self, rules: Rules) -> None:
        self.goods = Goods()
        self.orders = Orders()
        self.carts = Carts()
        self.expectations = Expectations()
        self.told = Told(rules)
        self.entries: dict[int, Entries] = {}
        self._changed: dict[int, Message[Any]] = {}

    def take(self, shard: int, message: Message[Any], decision: Decision, books: Books) -> None:
        """Note what a message has led to, and check what only shows at that moment."""
        if decision.duplicate:
            return
        self._changed[shard] = message
        self.goods.take(shard, message, decision, books)
        self.orders.take(shard, message)
        self.carts.take(shard, message, decision, books)
        self.expectations.take(shard, message)
        self.told.take(shard, message, decision)
        check_decision(books, message, decision)
        if isinstance(message.event, TimeAdvanced):
            self.told.check_time(books, message)

    def check(self, shards: Mapping[int, Books], on_the_way: Collection[Event]) -> None:
        """Assert what must hold after every step, of the shards that have changed."""
        for shard, message in self._changed.items():
            books = shards[shard]
            entries = self.entries.setdefault(shard, Entries())
            entries.read_on(books)
            entries.check(books)
            self.goods.check(shard, books)
            self.orders.check(shard, books)
            self.carts.check(shard, books)
            self.expectations.check(shard, books)
            self.told.check(shard, books)
            check_waiting(books, today_of(books, message))
        if self._changed:
            self._check_road()
            check_offers(shards, on_the_way)
        self._changed.clear()

    def _check_road(self) -> None:
        """Transit holds what has left a source, and is not told or received at its target (I5)."""
        road: Counter[str] = Counter()
        for (_, _, sku), units in self.goods.road.items():
            road[sku] += units
        transit: Counter[str] = Counter()
        for entries in self.entries.values():
            for (sku, account), units in entries.by_sku.items():
                if account is Account.TRANSIT:
                    transit[sku] += units
        for sku in road | transit:
            assert road[sku] == transit[sku], f"I5: {sku}: {transit[sku]}, not {road[sku]}"
