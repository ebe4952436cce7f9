"""The stock-ledger as an installation elsewhere would run it: in a consumer group of its own.

`python elsewhere.py`: two groups do not know of each other, so each gives its member all shards.
"""

from typing import Any

from restock_common.kafka import Consumer
from restock_common.runtime import stream
from restock_common.settings import KafkaSettings
from stock_ledger.__main__ import main


class ConsumerElsewhere(Consumer):
    """Joins another group than it is told."""

    def __init__(self, settings: KafkaSettings, topics: Any, group: str, *told: Any) -> None:
        """Rename the group."""
        super().__init__(settings, topics, f"{group}-elsewhere", *told)


if __name__ == "__main__":
    vars(stream)["Consumer"] = ConsumerElsewhere
    main()
