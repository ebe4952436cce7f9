"""What a checkpoint is made of, and what is found where one was written."""

from dataclasses import dataclass

from forecaster.domain.state import PartitionState


class Torn(Exception):
    """A partition's records do not belong together, or another version or learner wrote them.

    Attributes:
        next_offset: What followed from records before it has been published, as far as is known.
        life: Of the state that is given up.
    """

    def __init__(self, reason: str, next_offset: int = 0, life: int = 0) -> None:
        super().__init__(reason)
        self.next_offset = next_offset
        self.life = life


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is written down at once.

    Attributes:
        parts: The records of what has changed, by name.
        head: The partition's own record, written last.
        digest: Of all parts.
    """

    parts: dict[bytes, bytes]
    head: bytes
    digest: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A partition as it was written down.

    Attributes:
        state: As of the last complete checkpoint.
        digest: Of all its parts.
        head: The partition's own record; None where there was no checkpoint.
    """

    state: PartitionState
    digest: int = 0
    head: bytes | None = None
