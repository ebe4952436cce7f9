"""Looks after what waits, writes which keys were used, and forgets what was answered long ago."""

import asyncio
import time
from datetime import timedelta

import structlog

from order_ingest.handlers import Answers, Door, Keys
from restock_common.errors import Transient
from restock_common.runtime import Background

log = structlog.get_logger()

_LOOK_EVERY_S = 0.5
_CLEAR_EVERY_S = 60.0


class Housekeeper(Background):
    """Looks after what waits until stopped; several replicas may do so at once.

    What was delivered and not forgotten at the end is delivered again. What else goes wrong than
    that the world is away is a bug, and ends the service with the reason: it could stand in the way
    of all that waits behind it.

    Args:
        door: What delivers.
        answers: What is forgotten after a while.
        keys: Knows which keys were used.
        give_up_after: After so long a command becomes a dead letter.
        forget_after: After so long an answer is forgotten.
    """

    name = "housekeeper"

    def __init__(
        self,
        door: Door,
        answers: Answers,
        keys: Keys,
        *,
        give_up_after: timedelta,
        forget_after: timedelta,
    ) -> None:
        self._door = door
        self._answers = answers
        self._keys = keys
        self._give_up_after = give_up_after
        self._forget_after = forget_after

    async def _run(self) -> None:
        cleared_at = 0.0
        while True:
            try:
                await self._door.deliver_waiting()
                await self._keys.write_uses()
                if time.monotonic() - cleared_at >= _CLEAR_EVERY_S:
                    await self._door.give_up_waiting(self._give_up_after)
                    while await self._answers.forget(self._forget_after):
                        pass
                    cleared_at = time.monotonic()
            except Transient as error:
                log.info("housekeeping_retry", error=str(error))
            await asyncio.sleep(_LOOK_EVERY_S)
