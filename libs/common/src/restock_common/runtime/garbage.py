"""When cycles are looked for: between batches, not in the middle of one.

A batch of a thousand orders makes some 150,000 objects, nearly none of them in cycles. To look all
of them over cost a third of the ledger's time as often as the interpreter does it by default, and
45 us an order still at every 100,000 objects; once the batch is over, they are gone.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_BETWEEN_BATCHES = (100_000, 20, 100)
_AMID_A_BATCH = (2_000_000, 20, 100)
"""Many batches' worth: only what piles up while one waits for a database gets there."""


def collect_less_often() -> None:
    """Leave what is there out of garbage collection, and look at what is new less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_BETWEEN_BATCHES)


@contextmanager
def uncollected() -> Iterator[None]:
    """Do not look for cycles meanwhile: what is made here will be gone at the end."""
    gc.set_threshold(*_AMID_A_BATCH)
    try:
        yield
    finally:
        gc.set_threshold(*_BETWEEN_BATCHES)
