"""What becomes of an input that fails: it is tried again, or set aside with the reason."""


class RestockError(Exception):
    """The base of every error that Restock raises on purpose."""


class Transient(RestockError):
    """The world was not ready (broker, database): the same input may succeed later."""


class Fenced(Transient):
    """Another writer has taken this partition over: stop writing to it."""


class Permanent(RestockError):
    """The input can never be handled: it goes to the dead letters with this reason.

    Args:
        reason: What is wrong, naming the offending value.
        field: The place in the input, such as `lines.0.quantity` or `header ce_id`.
    """

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.reason = reason
        self.field = field


class LogMismatch(RestockError):
    """The database and the log do not belong together: refuse to start and say why."""


class InvariantBroken(RestockError):
    """A bug: a state that cannot be. Stops the partition with an alarm, never a dead letter."""
