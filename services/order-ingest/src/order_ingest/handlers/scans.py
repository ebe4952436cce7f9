"""Scanners: what they say goes through the doors of counts and receipts."""

import asyncio
from collections.abc import Sequence

from order_ingest.domain import scans
from order_ingest.domain.findings import Refused
from order_ingest.domain.requests import CountRequest, ReceiptRequest, ScanRequest
from order_ingest.handlers.desk import Desk
from order_ingest.handlers.goods import Goods
from order_ingest.handlers.ports import Accepted
from restock_common.errors import Permanent


class Scans:
    """The door for scanners.

    Args:
        desk: What it stands on.
        goods: Takes what a scan means.
    """

    def __init__(self, desk: Desk, goods: Goods) -> None:
        self._desk = desk
        self._goods = goods

    async def take(
        self, requests: Sequence[ScanRequest | Refused]
    ) -> Sequence[Accepted | Permanent]:
        """Take scans, each for itself.

        Raises:
            Transient: Nothing is promised for any of them: send them again.
        """
        meant = await self._desk.attempt_all(scans.meant, requests)
        return await asyncio.gather(*map(self._take, meant))

    async def _take(self, meant: CountRequest | ReceiptRequest | Permanent) -> Accepted | Permanent:
        match meant:
            case CountRequest():
                try:
                    return await self._goods.count(meant)
                except Permanent as error:
                    return error
            case ReceiptRequest():
                [answer] = await self._goods.receive([meant])
                return answer
            case _:
                return meant
