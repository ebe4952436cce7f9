"""When cycles are looked for: between batches, not in the middle of one.

A batch of a thousand orders makes some 150,000 objects, nearly none of them in cycles. To look all
of them over cost a third of the ledger's time as often as the interpreter does it by default, and
45 us an order still at every 100,000 objects; once the batch is over, they are gone.
"""

import gc
import time

_MOST_OBJECTS = 1_000_000
"""Many batches' worth: only what piles up between two looks gets there."""

_EVERY_S = 1.0


def collect_less_often() -> None:
    """Leave what is there out of garbage collection, and do not look amid a batch."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_MOST_OBJECTS, 10, 100)


class Collector:
    """Looks for cycles between batches, once a second at most."""

    def __init__(self) -> None:
        self._looked_at = 0.0

    def after_batch(self) -> None:
        """Look, where that was not done a moment ago."""
        now = time.monotonic()
        if now - self._looked_at >= _EVERY_S:
            self._looked_at = now
            gc.collect(1)
