"""What was answered under an idempotency key."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given first.

    Attributes:
        status: Of HTTP.
        media_type: Of the body.
        body: Its bytes.
    """

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What became of the wish to answer under a key; with nothing set, another is about to.

    Attributes:
        mine: The key is new: answer, and keep the answer or give the key back.
        other_body: It was used with another request.
        answer: What was answered first.
    """

    mine: bool = False
    other_body: bool = False
    answer: Answer | None = None


class Answers(Protocol):
    """Remembers answers for some days; `store.PostgresAnswers`."""

    async def claim(self, shop: str, key: str, digest: bytes) -> Claim:
        """Take a key to answer under it; the first takes it, on whichever replica."""

    async def keep(self, shop: str, key: str, answer: Answer) -> None:
        """Write down what was answered under a claimed key."""

    async def give_back(self, shop: str, key: str) -> None:
        """Forget a claim: nothing was promised, so the same again is tried again."""

    async def forget(self, age: timedelta) -> int:
        """Delete some answers that are older; return how many."""
