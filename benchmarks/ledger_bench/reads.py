"""How many questions for availability are answered while the ledger writes, and how soon."""

import asyncio
import time
from dataclasses import dataclass
from random import Random

import aiohttp
import orjson

from ledger_bench.load import Zipf, sku_name
from restock_local.processes import ProcessFailed

_PATH = "/v1/availability"
_DIFFERENT = 200
"""So many questions are made before the clock starts."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What was answered.

    Attributes:
        seconds: How long was asked.
        ms: How long each answer took, ascending.
    """

    seconds: float
    ms: list[float]


async def measure_reads(
    url: str, *, skus: int, at_once: int, clients: int, seconds: float
) -> Reads:
    """Ask for skus as they are in demand, over so many connections side by side.

    Args:
        url: Of the ledger's HTTP door.
        skus: How many there are.
        at_once: Of how many different ones is asked in one question.
        clients: How many ask, each the next question when it has its answer.
        seconds: How long.
    """
    zipf, at_once = Zipf(skus), min(at_once, skus // 2)
    questions = [_question(zipf, at_once, Random(number)) for number in range(_DIFFERENT)]
    took: list[float] = []
    began = time.monotonic()

    async def client(http: aiohttp.ClientSession, random: Random) -> None:
        while time.monotonic() - began < seconds:
            question = random.choice(questions)
            asked_at = time.monotonic()
            await _ask(http, question)
            took.append((time.monotonic() - asked_at) * 1000)

    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(url, headers=headers) as http:
        await asyncio.gather(*(client(http, Random(number)) for number in range(clients)))
    return Reads(time.monotonic() - began, sorted(took))


def _question(zipf: Zipf, at_once: int, random: Random) -> bytes:
    wanted: dict[str, None] = {}
    while len(wanted) < at_once:
        wanted[sku_name(zipf.draw(random))] = None
    return orjson.dumps({"skus": list(wanted)})


async def _ask(http: aiohttp.ClientSession, question: bytes) -> None:
    async with http.post(_PATH, data=question) as answer:
        body = await answer.read()
        if not answer.ok:
            raise ProcessFailed(f"{_PATH} answers {answer.status}: {body[:200]!r}")
