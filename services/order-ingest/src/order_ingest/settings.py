"""What the environment tells the door."""

from typing import Annotated, Literal

from pydantic import (
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from restock_common.settings import ServiceSettings

MIN_KEY_CHARACTERS = 8

_SHOP = TypeAdapter(Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")])


class Settings(ServiceSettings):
    """What order-ingest reads.

    Attributes:
        api_keys: `shop=key` pairs separated by commas; a shop may have several keys, so that one
            can be replaced without a pause. A shop's name is lower-case letters, digits, `_` and
            `-`, 32 at most; a key has 8 characters or more. There is no default.
        clock: `live` says the system's time on every shard; `replay` says what `POST /v1/clock`
            is told.
        clock_tick_s: How often the live clock speaks.
        publish_timeout_s: How long Kafka's acknowledgement is waited for; then what was taken, and
            all that comes, is kept in PostgreSQL until Kafka is back.
        waiting_days: How long a command waits for an order or cart that has not been seen; then it
            becomes a dead letter.
        database_timeout_s: How long PostgreSQL is waited for; then a sender is answered 503.
        waiting_days: How long a command waits for an order or cart that has not been seen; then it
            becomes a dead letter.
        answers_days: How long an answer is kept under its `Idempotency-Key`.
        body_timeout_s: How long a sender may be silent in sum while it sends a body, beside a
            second for each 64 KiB.
        bulk_max_bytes: The largest body of orders as NDJSON.
    """

    api_keys: SecretStr
    clock: Literal["live", "replay"] = "live"
    clock_tick_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    publish_timeout_s: Annotated[float, Field(gt=0, le=300)] = 1.5
    database_timeout_s: Annotated[float, Field(gt=0, le=300)] = 3.0
    waiting_days: Annotated[float, Field(gt=0, le=365)] = 14.0
    answers_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    body_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    bulk_max_bytes: Annotated[int, Field(ge=1, le=1_073_741_824)] = 33_554_432

    @field_validator("api_keys")
    @classmethod
    def _well_formed(cls, value: SecretStr) -> SecretStr:
        shops_by_key(value)
        return value


def shops_by_key(api_keys: SecretStr) -> dict[str, str]:
    """Return the shop of each key. Raises ValueError saying which pair is wrong, never the key."""
    shops: dict[str, str] = {}
    for number, pair in enumerate(api_keys.get_secret_value().split(","), 1):
        shop, _, key = (part.strip() for part in pair.partition("="))
        try:
            _SHOP.validate_python(shop)
        except ValidationError:
            raise ValueError(f"pair {number} does not begin with a shop's name and '='") from None
        if len(key) < MIN_KEY_CHARACTERS or not key.isascii():
            raise ValueError(
                f"the key of {shop!r} is not {MIN_KEY_CHARACTERS} or more ASCII characters"
            )
        if key in shops:
            raise ValueError(f"the key of {shop!r} stands there twice")
        shops[key] = shop
    return shops
