"""What has to be there before services start.

`python -m restock_common` creates the declared topics that are not there yet;
`python -m restock_common migrate PACKAGE` runs a service's migrations, in its image.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from restock_common.errors import Transient
from restock_common.kafka import create_topics
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings, ServiceSettings, read_settings

_PATIENCE_S = 60.0
_RETRY_S = 1.0
_MIGRATE = "migrate"


async def main(arguments: Sequence[str]) -> int:
    """Do what is asked for, waiting a minute for whom it is asked of; return the exit code."""
    if not arguments:
        settings = read_settings(KafkaSettings)
        return await _patiently(settings.kafka_bootstrap, lambda: create_topics(settings))
    if len(arguments) == len([_MIGRATE, "PACKAGE"]) and arguments[0] == _MIGRATE:
        url = read_settings(ServiceSettings).database_url.get_secret_value()
        packages = ["restock_common", arguments[1].replace("-", "_")]
        return await _patiently("PostgreSQL", lambda: _migrate(url, packages))
    sys.stderr.write(f"{__doc__}\n")
    return 2


async def _migrate(url: str, packages: Sequence[str]) -> list[str]:
    database = Database(url, max_connections=1)
    await database.open()
    try:
        return await database.migrate(packages)
    finally:
        await database.close()


async def _patiently(whom: str, create: Callable[[], Awaitable[list[str]]]) -> int:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            created = await create()
        except Transient as error:
            if time.monotonic() > deadline:
                sys.stderr.write(f"{whom}: {error}\n")
                return 1
            await asyncio.sleep(_RETRY_S)
        else:
            sys.stdout.write(f"created: {', '.join(created) or 'nothing, all were there'}\n")
            return 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(sys.argv[1:])))
