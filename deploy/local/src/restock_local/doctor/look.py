"""Looks at settings, broker and database; writes nothing anywhere."""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib import import_module
from importlib.resources import files

from pydantic import ValidationError

from restock_common.contracts.topics import DEMAND
from restock_common.errors import RestockError
from restock_common.kafka import log_bounds
from restock_common.kafka.inspect import committed_offsets, topics_found
from restock_common.postgres import Connection, Database
from restock_common.settings import ServiceSettings, explain
from restock_common.transact import Partition
from restock_local.doctor.findings import (
    Finding,
    broken,
    judge_clock,
    judge_lag,
    judge_migrations,
    judge_topics,
    look,
    well,
)
from restock_local.supervisor import ServiceKind

_PATIENCE_S = 10.0
_OLDEST_POSTGRES = 150_000


async def examine(kind: ServiceKind) -> list[Finding]:
    """Return all that is found about what a service stands on, by its environment."""
    try:
        settings = _settings_class(kind)()
    except ValidationError as error:
        return [
            broken("settings", line, "docs/operations.md, Settings")
            for line in explain(error, os.environ)
        ]
    findings = [well("settings", "every value is one"), *_advise(settings)]
    at_broker, topics = await _broker(settings)
    findings += at_broker
    cursors: Mapping[Partition, int] | None = None
    if kind.has_database:
        at_database, cursors = await _database(kind, settings)
        findings += at_database
    elif topics:
        cursors = await committed_offsets(settings, f"restock-{kind.name}", DEMAND)
    if topics and cursors is not None:
        known = {one: offset for one, offset in cursors.items() if one.topic in topics}
        findings += judge_lag(known, await log_bounds(settings, list(known)))
    return findings


def _settings_class(kind: ServiceKind) -> type[ServiceSettings]:
    module = import_module(f"{kind.module}.settings")
    (found,) = (
        one
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, ServiceSettings) and one.__module__ == module.__name__
    )
    checked: type[ServiceSettings] = found
    return checked


def _advise(settings: ServiceSettings) -> list[Finding]:
    """Return what is allowed, and seldom meant."""
    found = []
    if settings.dead_letter_keys is None:
        found.append(
            look(
                "settings",
                "RESTOCK_DEAD_LETTER_KEYS is not set: dead letters hold nothing",
                "give a key, so that what could not be handled can be seen and sent again",
            )
        )
    if settings.kafka_replication_factor < settings.kafka_min_insync_replicas:
        found.append(
            broken(
                "settings",
                "RESTOCK_KAFKA_MIN_INSYNC_REPLICAS is above RESTOCK_KAFKA_REPLICATION_FACTOR",
                "new topics could never be written to: lower the first, or raise the second",
            )
        )
    return found


async def _broker(settings: ServiceSettings) -> tuple[list[Finding], set[str]]:
    """Return what is found about the broker, and the topics that are there."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            found = await topics_found(settings)
    except (RestockError, OSError, TimeoutError) as error:
        said = str(error) or "no answer"
        advice = "is it running, is RESTOCK_KAFKA_BOOTSTRAP right, and may this machine reach it?"
        if "SSL" in settings.kafka_security_protocol:
            advice += " Is its certificate signed by an authority in RESTOCK_KAFKA_SSL_CA_FILE?"
        if "SASL" in settings.kafka_security_protocol:
            advice += " Are RESTOCK_KAFKA_SASL_USERNAME and _PASSWORD right?"
        return [broken("broker", f"{settings.kafka_bootstrap}: {said}", advice)], set()
    return [
        well("broker", f"{settings.kafka_bootstrap} answers"),
        *judge_topics(found, min_insync=settings.kafka_min_insync_replicas),
    ], set(found)


async def _database(
    kind: ServiceKind, settings: ServiceSettings
) -> tuple[list[Finding], Mapping[Partition, int] | None]:
    """Return what is found about the database, and how far it has read; None where it is away."""
    database = Database(
        settings.database_url.get_secret_value(), max_connections=1, patience_s=_PATIENCE_S
    )
    try:
        await database.open()
        async with database.snapshot() as connection:
            return await _look_into(connection, kind)
    except RestockError as error:
        return [
            broken(
                "database",
                str(error),
                "is PostgreSQL running, and is RESTOCK_DATABASE_URL right (host, password, name)?",
            )
        ], None
    except Exception as error:  # noqa: BLE001 - asyncpg's own, such as a wrong password
        return [
            broken("database", f"{type(error).__name__}: {error}", "is RESTOCK_DATABASE_URL right?")
        ], None
    finally:
        await database.close()


async def _look_into(
    connection: Connection, kind: ServiceKind
) -> tuple[list[Finding], Mapping[Partition, int]]:
    version = int(await connection.fetchval("SHOW server_version_num"))
    found = [well("database", f"PostgreSQL {version // 10_000} answers")]
    if version < _OLDEST_POSTGRES:
        found = [broken("database", f"PostgreSQL {version // 10_000}", "15 or newer is needed")]
    packaged = _packaged(["restock_common", kind.module])
    applied: dict[tuple[str, str], str] = {}
    cursors: dict[Partition, int] = {}
    if await connection.fetchval("SELECT to_regclass('migrations') IS NOT NULL"):
        rows = await connection.fetch("SELECT package, name, digest FROM migrations")
        applied = {(row["package"], row["name"]): row["digest"] for row in rows}
    if await connection.fetchval("SELECT to_regclass('cursors') IS NOT NULL"):
        rows = await connection.fetch("SELECT topic, partition, next_offset FROM cursors")
        cursors = {Partition(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    found += judge_migrations(applied, packaged)
    found.append(await _clock(lambda: connection.fetchval("SELECT clock_timestamp()")))
    return found, cursors


def _packaged(packages: list[str]) -> dict[tuple[str, str], str]:
    return {
        (package, script.name): sha256(script.read_text().encode()).hexdigest()
        for package in packages
        for script in (files(package) / "migrations").iterdir()
        if script.name.endswith(".sql")
    }


async def _clock(ask: Callable[[], Awaitable[datetime]]) -> Finding:
    before = datetime.now(UTC)
    theirs = await ask()
    after = datetime.now(UTC)
    half = (after - before) / 2
    return judge_clock((before + half - theirs).total_seconds(), half.total_seconds())
