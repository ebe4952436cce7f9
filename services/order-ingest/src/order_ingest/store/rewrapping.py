"""After a master key was rotated: all that the master keys seal, brought under the new one."""

from order_ingest.store import answers, customers, shops, waiting
from order_ingest.store.master import reseal
from restock_common.postgres import Database
from restock_common.sealing import Seal

_ALL = {
    "customers' keys": customers.KEYS,
    "shops' secrets": shops.SECRETS,
    "answers": answers.BODIES,
    "waiting commands": waiting.BODIES,
}


async def rewrap(database: Database, master: Seal) -> dict[str, int]:
    """Seal anew what another master key than the first one has sealed; the service may be running.

    What the customers' keys encrypt stays as it is.

    Returns:
        How many were done, by what they are.

    Raises:
        Transient: The key that something was sealed with is not given.
    """
    return {name: await reseal(database, master, sealed) for name, sealed in _ALL.items()}
