"""The environment, read once at start: a wrong value stops the service and is named."""

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from restock_common.sealing import Seal, parse_keys

ENV_PREFIX = "RESTOCK_"


MIN_KEY_CHARACTERS = 8
"""Of a key that a person sets."""


def _none_or_long_enough(value: SecretStr | None) -> SecretStr | None:
    key = value.get_secret_value() if value else ""
    if key and (len(key) < MIN_KEY_CHARACTERS or not key.isascii()):
        raise ValueError(f"is not {MIN_KEY_CHARACTERS} or more ASCII characters")
    return value if key else None


AdminKey = Annotated[SecretStr | None, AfterValidator(_none_or_long_enough)]
"""What lets its holder change what a service does; None where nobody may."""


class KafkaSettings(BaseSettings):
    """How to reach the broker.

    Attributes:
        kafka_bootstrap: `host:port`, several separated by commas.
        kafka_idempotent: Off only for a broker that cannot do it, such as the embedded one.
        kafka_session_timeout_ms: After how long a silent group member is taken for dead.
        kafka_replication_factor: Used when topics are created.
        kafka_min_insync_replicas: Used when topics are created.
        kafka_security_protocol: How the broker is spoken to.
        kafka_ssl_ca_file: Whom the broker's certificate has to be signed by (PEM), where it is not
            one of the system's authorities.
        kafka_sasl_mechanism: Used with SASL protocols.
        kafka_sasl_username: Used with SASL protocols.
        kafka_sasl_password: Used with SASL protocols; never shown.
        dead_letter_keys: What dead letters are encrypted with: `name=key` pairs separated by
            commas, a key being the base64 of 32 random bytes; the first one encrypts, all decrypt.
            Without one a dead letter holds nothing of the record, which stays where it came from.
            order-ingest has to have one: what comes by webhook or MQTT stays nowhere else.
    """

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, frozen=True, extra="ignore", validate_default=True
    )

    kafka_bootstrap: Annotated[str, Field(min_length=3)] = "localhost:9092"
    kafka_idempotent: bool = True
    kafka_session_timeout_ms: Annotated[int, Field(ge=1000, le=300_000)] = 10_000
    kafka_replication_factor: Annotated[int, Field(ge=1, le=9)] = 1
    kafka_min_insync_replicas: Annotated[int, Field(ge=1, le=9)] = 1
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ssl_ca_file: FilePath | None = None
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    dead_letter_keys: SecretStr | None = None

    @field_validator("dead_letter_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_keys(value.get_secret_value())
        return value

    def dead_letter_seal(self) -> Seal | None:
        """Return what encrypts and decrypts dead letters; None where no key is given."""
        keys = self.dead_letter_keys
        return None if keys is None else Seal(parse_keys(keys.get_secret_value()))


class ServiceSettings(KafkaSettings):
    """What every service reads.

    Attributes:
        database_url: The service's own database; not used by a service without tables.
        http_host: Where its API, health and metrics listen.
        http_port: 0 lets the system choose.
        trace_endpoint: OTLP/HTTP traces endpoint; None exports nothing, ids travel all the same.
        trace_ratio: Share of new traces that are recorded, 0 to 1; docs/performance.md
            has what each share costs.
        log_level: Lines below it are not written.
    """

    database_url: SecretStr = SecretStr("postgresql://postgres@localhost:5432/postgres")
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65_535)] = 8000
    trace_endpoint: str | None = None
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01
    log_level: Literal["debug", "info", "warning", "error"] = "info"


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(kind: type[SettingsT]) -> SettingsT:
    """Return the settings that the environment holds, or stop the process naming each bad value."""
    try:
        return kind()
    except ValidationError as error:
        for line in explain(error, os.environ):
            sys.stderr.write(line + "\n")
        raise SystemExit(2) from None


def explain(error: ValidationError, environment: Mapping[str, str]) -> list[str]:
    """Return one line for each bad setting: the variable, what is wrong, and the value it has."""
    lines = []
    for finding in error.errors(include_url=False, include_context=False, include_input=False):
        name = ENV_PREFIX + "_".join(map(str, finding["loc"])).upper()
        secret = any(word in name for word in ("PASSWORD", "SECRET", "KEY", "URL"))
        value = "not set" if name not in environment else repr(environment[name])
        shown = "its value is not shown" if secret and name in environment else f"it is {value}"
        lines.append(f"{name}: {finding['msg']}; {shown}")
    return lines
