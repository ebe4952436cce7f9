"""What a service is put together from."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a part of a service has come.

    Attributes:
        offsets: The next offset to take, by topic and partition.
        unpublished: Journal entries that the broker has not acknowledged.
        pending: Work taken in that has not come to an end (a due review, an unsolved wave).
    """

    offsets: dict[str, dict[int, int]] = field(default_factory=dict)
    unpublished: int = 0
    pending: int = 0

    def plus(self, other: "Progress") -> "Progress":
        """Return both taken together."""
        offsets = {topic: dict(parts) for topic, parts in self.offsets.items()}
        for topic, parts in other.offsets.items():
            offsets.setdefault(topic, {}).update(parts)
        return Progress(offsets, self.unpublished + other.unpublished, self.pending + other.pending)


class Component(Protocol):
    """A part with a life of its own: a stream, a producer, a planner."""

    async def start(self) -> None:
        """Begin; returns once it runs. Raises Transient to be tried again."""

    async def stop(self) -> None:
        """Finish what is begun and end; safe to call on a part that never started."""

    def not_ready(self) -> str | None:
        """Return why it cannot serve yet; None when it can."""

    def dead(self) -> str | None:
        """Return why it will never go on by itself; None while it lives."""

    async def progress(self) -> Progress:
        """Return how far it has come."""
