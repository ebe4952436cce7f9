"""Webhooks: what they are told, how it is signed, when it is tried again.

Source: the Standard Webhooks specification 1.0.0, https://www.standardwebhooks.com.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import orjson
from standardwebhooks import Webhook

from restock_common.errors import Permanent
from stock_ledger.domain.feed import BEFORE_ALL, Interest, KnownLevel, Place, Positions

MESSAGE_TYPE = "stock.level_changed"
SECRET_BYTES = 32
SECRETS_KEPT = timedelta(hours=24)
MAX_SECRETS = 5
MAX_URL_CHARACTERS = 2_048
SUSPECTED_STEP = 2
"""A webhook that fails is left alone as long as a message that has failed so often, at most."""

_PREFIX = "whsec_"
_SECRET_BYTES_MIN, _SECRET_BYTES_MAX = 24, 64


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a webhook is told, and since when.

    Attributes:
        webhook: Its name.
        interest: In which levels.
        since: How far the books had come when it was made: what came before is not told.
    """

    webhook: str
    interest: Interest
    since: Positions

    def wants(self, known: KnownLevel) -> bool:
        """Return whether the webhook is to be told of a change."""
        since = self.since.get(known.shard, BEFORE_ALL)
        return known.position > since and self.interest.covers(known.level)


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for one webhook.

    Attributes:
        webhook: Whom it is for.
        message: Its id: the same on each attempt, and where the change is read again.
        place: Of which sku and location.
        body: What is sent, byte for byte on each attempt.
    """

    webhook: str
    message: str
    place: Place
    body: bytes


class Notices:
    """The messages that a batch of changes leads to: the latest of each webhook and place."""

    def __init__(self, subscriptions: Collection[Subscription]) -> None:
        self._subscriptions = subscriptions
        self._latest: dict[tuple[str, Place], tuple[KnownLevel, str, datetime]] = {}

    def add(self, known: KnownLevel, cause: str, at: datetime) -> None:
        """Take a change.

        Args:
            known: The level after it.
            cause: The id of the event that told it.
            at: When it happened.
        """
        for subscription in self._subscriptions:
            if subscription.wants(known):
                self._latest[subscription.webhook, known.place] = known, cause, at

    def __iter__(self) -> Iterator[Notice]:
        """Yield them by webhook and place: so batches lock their rows in one order."""
        for (webhook, place), (known, cause, at) in sorted(
            self._latest.items(), key=lambda item: item[0]
        ):
            body = {
                "type": MESSAGE_TYPE,
                "timestamp": at.isoformat(),
                "data": orjson.Fragment(known.json),
            }
            yield Notice(webhook, f"msg_{cause}", place, orjson.dumps(body))


@dataclass(frozen=True, slots=True)
class Secret:
    """What a webhook's messages are signed with.

    Attributes:
        text: `whsec_` and the key in base64.
        until: When it ends, once another has taken its place.
    """

    text: str
    until: datetime | None = None


def secret_of(key: bytes) -> str:
    """Return a key as the scheme spells it."""
    return _PREFIX + b64encode(key).decode()


def check_secret(text: str) -> str:
    """Return a secret that somebody gave. Raises Permanent, without the value, where it is none."""
    try:
        key = b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not (text.startswith(_PREFIX) and _SECRET_BYTES_MIN <= len(key) <= _SECRET_BYTES_MAX):
        raise Permanent(
            f"is not {_PREFIX!r} and {_SECRET_BYTES_MIN} to {_SECRET_BYTES_MAX} bytes in base64",
            field="secret",
        )
    return text


def rotate(secrets: Sequence[Secret], new: str, now: datetime) -> tuple[Secret, ...]:
    """Return the secrets after a new one has come: the one before it signs for 24 hours more."""
    if any(old.text == new and old.until is None for old in secrets):
        return tuple(secrets)
    old = [
        replace(one, until=one.until or now + SECRETS_KEPT)
        for one in secrets
        if one.text != new and (one.until is None or one.until > now)
    ]
    return (Secret(new), *old[: MAX_SECRETS - 1])


def signed_headers(
    secrets: Iterable[Secret], message: str, body: bytes, now: datetime
) -> dict[str, str]:
    """Return the three headers of an attempt, signed with every secret that is still good."""
    at = now.astimezone(UTC).replace(microsecond=0)
    good = [one for one in secrets if one.until is None or one.until > now]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(
            Webhook(one.text).sign(message, at, body.decode()) for one in good
        ),
    }


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that this process may send, until its lease ends.

    Attributes:
        webhook: Whom it is for.
        place: Of which sku and location.
        message: Its id.
        body: What is sent.
        url: Where to.
        secrets: What it is signed with, the newest first.
        lease: Tells that it is still this process's.
        now: When it was claimed, by the database's clock.
        failing: Whether what was sent before did not arrive.
    """

    webhook: str
    place: Place
    message: str
    body: bytes
    url: str
    secrets: tuple[Secret, ...]
    lease: UUID
    now: datetime
    failing: bool

    @property
    def mine(self) -> tuple[str, str, str, UUID]:
        """Return what finds its row, while it is this process's."""
        return self.webhook, *self.place, self.lease


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a message is tried again.

    Attributes:
        delays_s: After the first failed attempt, after the second, and so on; each more than 0.
        jitter: A delay is lengthened by up to this share of itself, never shortened.
    """

    delays_s: tuple[float, ...]
    jitter: float = 0.1

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Return the schedule of delays separated by commas. Raises ValueError."""
        delays = tuple(float(part) for part in text.split(","))
        if not all(0 < delay < float("inf") for delay in delays):
            raise ValueError(f"{text!r} has a delay that is not a number of seconds above 0")
        return cls(delays)

    @property
    def whole(self) -> timedelta:
        """Return how long it takes from the first attempt to the last, at least."""
        return timedelta(seconds=sum(self.delays_s))

    def delay(self, failed: int, chance: float) -> timedelta | None:
        """Return how long to wait after so many failed attempts; None after the last.

        Args:
            failed: Attempts so far, from 1.
            chance: In [0, 1), for the jitter.
        """
        if failed > len(self.delays_s):
            return None
        return timedelta(seconds=self.delays_s[failed - 1] * (1 + self.jitter * chance))


@dataclass(frozen=True, slots=True)
class Health:
    """How a webhook has fared since it last took a message.

    Attributes:
        failures: Failed attempts in a row; those that were under way together count as one.
        failing_since: When the first of them failed.
        paused_until: It is left alone until then.
    """

    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None


class Gone(StrEnum):
    """Why a webhook is told nothing any more."""

    GONE = "gone"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed.

    Attributes:
        reason: In words.
        gone: The receiver answered 410: it wants no more.
        retry_after: How long it asks to be left alone.
    """

    reason: str
    gone: bool = False
    retry_after: timedelta = timedelta()


def after_failure(
    health: Health, failure: Failure, schedule: Schedule, now: datetime, chance: float
) -> tuple[Health, Gone | None]:
    """Return a webhook's health after a failed attempt, and why it is disabled, if it is.

    It is left alone for a while, five minutes at most by the usual schedule: a message that it
    alone refuses must not hold up the others for long. It is disabled where nothing has got
    through in as many attempts, and for as long, as one message is tried.
    """
    since = health.failing_since or now
    if failure.gone:
        return replace(health, failures=health.failures + 1, failing_since=since), Gone.GONE
    if health.paused_until is not None and now < health.paused_until:
        return health, None  # it was under way when another failed
    failures = health.failures + 1
    pause = schedule.delay(min(failures, SUSPECTED_STEP, len(schedule.delays_s)), chance)
    assert pause is not None, "the step is within the schedule"
    paused_until = now + max(pause, min(failure.retry_after, schedule.whole))
    exhausted = failures > len(schedule.delays_s) and now - since >= schedule.whole
    return Health(failures, since, paused_until), Gone.FAILING if exhausted else None
