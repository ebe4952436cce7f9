"""What the environment tells the door."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from restock_common.sealing import Seal, parse_keys
from restock_common.settings import MIN_KEY_CHARACTERS, ServiceSettings

_SHOP = TypeAdapter(Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")])


def _is_mqtt(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ValueError("is not mqtt://host or mqtts://host")
    return url


MqttUrl = Annotated[SecretStr, AfterValidator(_is_mqtt)]


class Settings(ServiceSettings):
    """What order-ingest reads.

    Attributes:
        api_keys: `shop=key` pairs separated by commas; a shop may have several keys, so that one
            can be replaced without a pause. A shop's name is lower-case letters, digits, `_` and
            `-`, 32 at most; a key has 8 characters or more. There is no default. They are good for
            everything that their shop may do, and have no end: make others with them.
        token_secret: What customers' tokens are derived with, 32 characters or more, the same for
            ever and on every replica: with another one every customer is somebody else.
        master_keys: What customers' keys are encrypted with: `name=key` pairs as in
            `RESTOCK_DEAD_LETTER_KEYS`; after a new one has been put in front,
            `restock customers rewrap` brings all keys under it.
        position_decimals: Of latitude and longitude, as told in events: of 3, an order moves
            79 metres at most; of 4, 8; of 2, 790.
        keys_cache_s: How long a key is believed without looking into the database again; one that
            was revoked is good for nothing after that time.
        key_requests_per_s: How many requests one key may make on one replica, in the long run;
            twice as many at once.
        address_requests_per_s: How many may come from one address to one replica; twice as many at
            once. A wrong key counts as 20.
        clock: `live` says the system's time on every shard; `replay` says what `POST /v1/clock`
            is told.
        clock_tick_s: How often the live clock speaks.
        publish_timeout_s: How long Kafka may acknowledge nothing of what is sent; then what was
            taken, and all that comes, is kept in PostgreSQL until Kafka is back.
        database_timeout_s: How long PostgreSQL is waited for, whatever it is asked at a time; then
            a sender is answered 503. Shopify gives up after 5 s.
        waiting_days: How long a command waits for an order or cart that has not been seen; then it
            becomes a dead letter.
        answers_days: How long an answer is kept under its `Idempotency-Key`.
        body_timeout_s: How long a sender may be silent in sum while it sends a body, beside a
            second for each 64 KiB.
        bulk_max_bytes: The largest body of orders as NDJSON.
        mqtt_url: Where devices publish: `mqtt://user:password@host:1883`, `mqtts://` with TLS. Not
            set, there is no MQTT door.
        mqtt_client_id: Names the session that the MQTT broker keeps: it must stay, and be
            another for each replica; the machine's name where it is not set.
        mqtt_session_expiry_s: How long the MQTT broker keeps messages for a replica that is away.
        silence_chance: A shop from which nothing comes is called silent where that is less likely
            than so, by what came in the weeks before.
        poll_overlap_s: What changed in a shop so shortly before it was last read is read again; an
            order number is missing for so long before it is asked whether the shop has it.
        poll_allow_private: Let shops be read at addresses in this network, and without TLS.
    """

    api_keys: SecretStr
    token_secret: Annotated[SecretStr, Field(min_length=32)]
    master_keys: SecretStr
    position_decimals: Annotated[int, Field(ge=0, le=7)] = 3
    keys_cache_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    key_requests_per_s: Annotated[float, Field(ge=1, le=1_000_000)] = 1000.0
    address_requests_per_s: Annotated[float, Field(ge=10, le=1_000_000)] = 1000.0
    clock: Literal["live", "replay"] = "live"
    clock_tick_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    publish_timeout_s: Annotated[float, Field(gt=0, le=300)] = 1.5
    database_timeout_s: Annotated[float, Field(gt=0, le=300)] = 3.0
    waiting_days: Annotated[float, Field(gt=0, le=365)] = 14.0
    answers_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    body_timeout_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    bulk_max_bytes: Annotated[int, Field(ge=1, le=1_073_741_824)] = 33_554_432
    mqtt_url: MqttUrl | None = None
    mqtt_client_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    mqtt_session_expiry_s: Annotated[int, Field(ge=0, lt=2**32 - 1)] = 604_800
    silence_chance: Annotated[float, Field(gt=0, lt=1)] = 0.001
    poll_overlap_s: Annotated[float, Field(ge=0, le=86_400)] = 600.0
    poll_allow_private: bool = False

    @field_validator("api_keys")
    @classmethod
    def _well_formed(cls, value: SecretStr) -> SecretStr:
        shops_by_key(value)
        return value

    @field_validator("master_keys")
    @classmethod
    def _master_keys(cls, value: SecretStr) -> SecretStr:
        parse_keys(value.get_secret_value())
        return value

    @field_validator("dead_letter_keys")
    @classmethod
    def _letters_hold_something(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            raise ValueError(
                "is required: of a webhook that cannot be taken its letter is all that there is"
            )
        return value

    def dead_letter_seal(self) -> Seal:
        """Return what encrypts and decrypts dead letters."""
        seal = super().dead_letter_seal()
        assert seal is not None, "it is required"
        return seal


def shops_by_key(api_keys: SecretStr) -> dict[str, str]:
    """Return the shop of each key. Raises ValueError saying which pair is wrong, never the key."""
    shops: dict[str, str] = {}
    for number, pair in enumerate(api_keys.get_secret_value().split(","), 1):
        shop, _, key = (part.strip() for part in pair.partition("="))
        try:
            check_shop(shop)
        except ValueError:
            raise ValueError(f"pair {number} does not begin with a shop's name and '='") from None
        if len(key) < MIN_KEY_CHARACTERS or not key.isascii():
            raise ValueError(
                f"the key of {shop!r} is not {MIN_KEY_CHARACTERS} or more ASCII characters"
            )
        if key in shops:
            raise ValueError(f"the key of {shop!r} stands there twice")
        shops[key] = shop
    return shops


def check_shop(name: str) -> None:
    """Raise ValueError where a name cannot be a shop's."""
    try:
        _SHOP.validate_python(name)
    except ValidationError:
        raise ValueError(
            f"{name[:40]!r} is no shop's name: lower-case letters, digits, _ and -, 32 at most"
        ) from None
