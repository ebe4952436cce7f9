"""`restock doctor` on a broker and a database that are there, and on some that are not."""

import json
from pathlib import Path

import pytest
from tests.tidy.test_compose import LOCAL
from typer.testing import CliRunner

from restock_common.__main__ import main as prepare
from restock_common.contracts.topics import DEMAND
from restock_common.kafka.inspect import committed_offsets, topics_found
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_local.cli import app
from restock_local.doctor.findings import Finding, Verdict
from restock_local.doctor.look import examine
from restock_local.platform.base import Platform
from restock_local.processes import free_port
from restock_local.supervisor import SERVICES

KINDS = {kind.name: kind for kind in SERVICES}
LEDGER = KINDS["stock-ledger"]


@pytest.fixture(autouse=True)
def environment(
    monkeypatch: pytest.MonkeyPatch, kafka: KafkaSettings, database_url: str, tmp_path: Path
) -> None:
    for name, value in {
        **LOCAL,
        "RESTOCK_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
        "RESTOCK_DATABASE_URL": database_url,
        "RESTOCK_DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)


def by_check(findings: list[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in findings:
        found.setdefault(one.check, []).append(one)
    return found


@pytest.mark.parametrize("service", KINDS)
async def test_nothing_is_broken_where_all_is_there(service: str) -> None:
    kind = KINDS[service]
    if kind.has_database:
        assert await prepare(["migrate", service]) == 0
    found = by_check(await examine(kind))
    assert [one for row in found.values() for one in row if one.verdict is Verdict.BROKEN] == []
    assert {"settings", "broker", "topics", "lag"} <= set(found)
    if kind.has_database:
        assert [one.verdict for one in found["migrations"]] == [Verdict.WELL]
        assert {"database", "clock"} <= set(found)


async def test_an_empty_database_says_which_migrations_will_run() -> None:
    (found,) = by_check(await examine(LEDGER))["migrations"]
    assert (found.verdict, "restock_common/0001" in found.found) == (Verdict.LOOK, True)


async def test_a_log_that_is_not_the_databases_own_is_told(database_url: str) -> None:
    await prepare(["migrate", "stock-ledger"])
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        async with database.transaction() as connection:
            await connection.execute(
                "INSERT INTO cursors (topic, partition, next_offset) "
                "VALUES ('restock.ledger.v1', 0, 12345)"
            )
    finally:
        await database.close()
    (found,) = by_check(await examine(LEDGER))["lag"]
    assert (found.verdict, "12345" in found.found) == (Verdict.BROKEN, True)


async def test_what_is_away_is_named_and_the_rest_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESTOCK_KAFKA_BOOTSTRAP", f"127.0.0.1:{free_port()}")
    found = by_check(await examine(LEDGER))
    assert [one.verdict for one in found["broker"]] == [Verdict.BROKEN]
    assert [one.verdict for one in found["database"]] == [Verdict.WELL]


@pytest.mark.parametrize("wrong", ["port", "password", "name"])
async def test_a_database_that_cannot_be_used_is_named(
    wrong: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, _, name = database_url.rpartition("/")
    address = head.rpartition(":")[0]
    wrong_url = {
        "port": f"{address}:{free_port()}/{name}",
        "password": f"postgresql://postgres:wrong@{head.rpartition('@')[2]}/{name}",
        "name": f"{head}/nowhere",
    }[wrong]
    monkeypatch.setenv("RESTOCK_DATABASE_URL", wrong_url)
    found = by_check(await examine(LEDGER))
    assert [one.verdict for one in found["database"]] == [Verdict.BROKEN]
    assert [one.verdict for one in found["broker"]] == [Verdict.WELL]


async def test_what_the_broker_has_is_told(platform: Platform, kafka: KafkaSettings) -> None:
    found = await topics_found(kafka)
    assert found["restock.ledger.v1"].partitions == 4
    assert await committed_offsets(kafka, "restock-nobody", DEMAND) == {}


def test_the_command_ends_with_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTOCK_HTTP_PORT", "many")
    result = CliRunner().invoke(app, ["doctor", "stock-ledger", "--json"])
    assert result.exit_code == 1
    (found,) = json.loads(result.stdout)
    assert found["verdict"] == "broken"
    assert "RESTOCK_HTTP_PORT" in found["found"]
    assert CliRunner().invoke(app, ["doctor", "nobody"]).exit_code == 2
