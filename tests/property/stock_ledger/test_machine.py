"""Random histories of three shards against plain dictionaries: nothing is oversold or lost.

Every command of `handlers.HANDLERS` is sent, valid and not, and what shards and warehouses answer
arrives in any order. After every message these invariants hold:

Goods
    I1. No account of a balance is negative.
    I2. A movement takes units from one account of goods to another, or from one of promises to
        another: over all accounts of either the sum of each sku is zero.
    I3. Balances are the sums of movements.
    I4. On the shelves is, by lot and condition, what receipts, counts, adjustments, shipments,
        returns and transfers have left there; on its way is what was told to be.
    I5. Over all shards transit holds what has left its source and is not yet told or received at
        its target.
    I6. What is reserved, held, waiting, seen to, passed on, fulfilled or with customers is the sum
        of the pieces that say so: no unit is promised twice.
    I7. Promises leave the safety buffer and the channel's free, and take no lot that has expired;
        once time has advanced nothing that has expired is free.

Promises
    I8. Of each line there is in its pieces what was last asked for: nobody is forgotten, and
        nothing is seen to that nobody asked for; of a cancelled order nothing is.
    I9. Other pools serve what home still wants of its offers, as soon as withdrawals have come.
    I10. Of no line more is shipped than was ever asked for; what was called off is a return.
    I11. The parts of kits are reserved together at one location, or wait together.
    I12. An order that is to be whole is reserved whole or not at all, as is a line.
    I13. Nobody waits beside stock that he could have.
    I14. No more is promised from an expected receipt than it will bring.
    I15. Holds hold whole lines, end once and in time, and the order that cites one has its units.
    I16. Those who wait are served by priority, which is the sum of its parts.

What is told
    I17. The last level of a place is its balance.
    I18. Alerts are raised once and cleared once, and stand while their condition holds; stockouts
        start and end with it.
    I19. A parcel is told of once, before it is asked back; what is told to be reserved, less what
        is released and shipped, is reserved.
    I20. What is refused names a field and changes nothing, what is sent again changes nothing, and
        what the system says to itself and people tell of what has happened is never refused.
    I21. Time as it is recorded never goes back.
    I22. No message whatever stops a shard.
    I23. Once everything has arrived and time has advanced, nothing is pending.
    I24. The same messages in the same order give the same events, however they are cut in batches.
"""

import os

import pytest
from hypothesis import HealthCheck, settings
from tests.property.stock_ledger.acting_customers import Customers
from tests.property.stock_ledger.acting_goods import Goods
from tests.property.stock_ledger.acting_parcels import Parcels

SOAK = os.environ.get("RESTOCK_SOAK") == "1"

pytestmark = pytest.mark.timeout(3_600 if SOAK else 240)


class Ledgers(Customers, Goods, Parcels):
    """Everybody at once."""


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(
    max_examples=2_000 if SOAK else 120,
    stateful_step_count=60 if SOAK else 50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
