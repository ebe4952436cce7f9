"""A stream as a careless broker would deliver it: shuffled across orders, some of it repeated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.support import message

from restock_common.contracts import Event
from restock_common.contracts.envelope import Message

REPEATED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way to a shard."""

    shard: int
    message: Message[Any]


Thread = Sequence[Sent]
"""What is said of one order (or one receipt, or one parcel), which stays in this order."""


def thread(shard: int, *events: Event) -> Thread:
    return [Sent(shard, message(event)) for event in events]


def shuffled(
    threads: Sequence[Thread], chance: Random, *, repeated: float = REPEATED_SHARE
) -> list[Sent]:
    """Return all threads interleaved by chance, with repeats anywhere behind what they repeat.

    Half of the repeats are the same message again, half have the content of one under another id:
    a sender that did not hear the answer and began anew.
    """
    placed: list[tuple[float, Sent]] = []
    for one in threads:
        moments = sorted(chance.random() for _ in one)
        placed += zip(moments, one, strict=True)
    for moment, sent in list(placed):
        if chance.random() < repeated:
            again = sent if chance.random() < 0.5 else _renamed(sent)
            placed.append((chance.uniform(moment, 1), again))
    placed.sort(key=lambda pair: pair[0])  # stable: an original stays before its repeat
    return [sent for _, sent in placed]


def _renamed(sent: Sent) -> Sent:
    return replace(
        sent, message=replace(sent.message, id=f"{sent.message.id} again", source="/again")
    )
