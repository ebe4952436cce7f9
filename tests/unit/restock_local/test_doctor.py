import pytest

from restock_common.contracts.topics import LEDGER, TOPICS
from restock_common.kafka.inspect import TopicFound
from restock_common.transact import Partition
from restock_local.doctor.findings import (
    Finding,
    Verdict,
    judge_clock,
    judge_lag,
    judge_migrations,
    judge_topics,
)

SHARD = Partition(LEDGER.name, 0)


def topic(**changed: object) -> TopicFound:
    config = LEDGER.config(min_insync_replicas=2)
    declared: dict[str, object] = {
        "partitions": LEDGER.partitions,
        "replicas": 3,
        "without_leader": 0,
        "under_replicated": 0,
        "config": config,
    }
    return TopicFound(**{**declared, **changed})  # type: ignore[arg-type]


def judged(**changed: object) -> Finding:
    (found,) = judge_topics({LEDGER.name: topic(**changed)}, min_insync=2, declared=[LEDGER])
    return found


def test_nothing_is_said_where_all_is_as_declared() -> None:
    assert judged().verdict is Verdict.WELL


@pytest.mark.parametrize(
    ("changed", "verdict", "said"),
    [
        ({"partitions": 5}, Verdict.BROKEN, "5 partitions instead of 4"),
        ({"replicas": 1}, Verdict.BROKEN, "fewer than the 2"),
        ({"without_leader": 1}, Verdict.BROKEN, "no leader"),
        ({"under_replicated": 2}, Verdict.LOOK, "lack a replica"),
        ({"config": {"retention.ms": "1000"}}, Verdict.LOOK, "retention.ms is 1000 instead of -1"),
    ],
)
def test_each_fault_of_a_topic_is_named(
    changed: dict[str, object], verdict: Verdict, said: str
) -> None:
    found = judged(**changed)
    assert found.verdict is verdict
    assert said in found.found
    assert found.advice


def test_every_missing_topic_is_named() -> None:
    found = judge_topics({}, min_insync=1)
    assert len(found) == len(TOPICS)
    assert {one.advice for one in found} == {"run `python -m restock_common`"}


@pytest.mark.parametrize(
    ("offset", "bounds", "verdict"),
    [
        (10, (0, 10), Verdict.WELL),
        (0, (0, 10_001), Verdict.LOOK),
        (11, (0, 10), Verdict.BROKEN),
        (3, (4, 10), Verdict.BROKEN),
    ],
)
def test_lag_is_told_from_a_log_that_does_not_belong(
    offset: int, bounds: tuple[int, int], verdict: Verdict
) -> None:
    (found,) = judge_lag({SHARD: offset}, {SHARD: bounds})
    assert found.verdict is verdict


def test_migrations_are_missing_unknown_or_changed() -> None:
    packaged = {("a", "1.sql"): "x", ("a", "2.sql"): "y"}
    assert [one.verdict for one in judge_migrations(packaged, packaged)] == [Verdict.WELL]
    (missing,) = judge_migrations({("a", "1.sql"): "x"}, packaged)
    assert (missing.verdict, "a/2.sql" in missing.found) == (Verdict.LOOK, True)
    (unknown,) = judge_migrations({**packaged, ("a", "3.sql"): "z"}, packaged)
    assert (unknown.verdict, "a/3.sql" in unknown.found) == (Verdict.LOOK, True)
    (changed,) = judge_migrations({**packaged, ("a", "2.sql"): "other"}, packaged)
    assert (changed.verdict, "a/2.sql" in changed.found) == (Verdict.BROKEN, True)


def test_a_clock_that_is_off_is_told_and_a_slow_answer_is_no_fault() -> None:
    assert judge_clock(1.0, 0.0).verdict is Verdict.WELL
    assert judge_clock(-5.0, 0.1).verdict is Verdict.BROKEN
    assert judge_clock(5.0, 4.0).verdict is Verdict.WELL
