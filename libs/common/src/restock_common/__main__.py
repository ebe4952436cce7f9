"""Creates the declared topics that are not there yet: `python -m restock_common`."""

import asyncio
import sys
import time

from restock_common.errors import Transient
from restock_common.kafka import create_topics
from restock_common.settings import KafkaSettings, read_settings

_PATIENCE_S = 60.0
_RETRY_S = 1.0


async def main() -> int:
    """Create the topics, waiting a minute for the broker; return the exit code."""
    settings = read_settings(KafkaSettings)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            created = await create_topics(settings)
        except Transient as error:
            if time.monotonic() > deadline:
                sys.stderr.write(f"{settings.kafka_bootstrap}: {error}\n")
                return 1
            await asyncio.sleep(_RETRY_S)
        else:
            sys.stdout.write(f"created: {', '.join(created) or 'nothing, all were there'}\n")
            return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
