"""The base of every contract: a frozen model that knows its topic and its key."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from restock_common.contracts.topics import Topic


class Contract(BaseModel):
    """A frozen value inside an event. Unknown fields of newer writers are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Event(Contract):
    """Something that happened, published on one topic.

    Attributes:
        topic: Where it is published unless the emitter says otherwise.
        version: Raised when a change would break readers of the old one.
    """

    topic: ClassVar[Topic]
    version: ClassVar[int] = 1

    @classmethod
    def type_name(cls) -> str:
        """Return the CloudEvents type: `restock.<Name>.v<version>`."""
        return _type_names[cls]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Note the type's name once, since it stands on every message."""
        super().__pydantic_init_subclass__(**kwargs)
        _type_names[cls] = f"restock.{cls.__name__}.v{cls.version}"

    @property
    def key(self) -> str | None:
        """What the event is ordered by; None where the partition is given explicitly."""
        return None


_type_names: dict[type[Event], str] = {}
