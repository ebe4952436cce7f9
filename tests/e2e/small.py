"""The demo as the tests here run it."""

from collections.abc import Awaitable, Callable

from restock_local.demo.figures import Figures
from restock_local.demo.run import Disturb, Options

RunSmall = Callable[[Disturb | None], Awaitable[Figures]]

SMALL = Options(days=2, seed=1, orders_per_day=60, orders_a_request=10)
"""Two days, many small requests: a process can be killed in the middle of them."""
