"""The ledger's settings: what every service reads, and nothing more."""

from restock_common.settings import ServiceSettings


class LedgerSettings(ServiceSettings):
    """Environment variables `RESTOCK_*`."""
