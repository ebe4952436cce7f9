"""What is found, judged: pure, so that every advice can be tested."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from restock_common.contracts.topics import TOPICS, Topic
from restock_common.kafka.inspect import TopicFound
from restock_common.transact import Partition

CLOCK_S = 2.0
"""Order-ingest refuses what is from the future; seconds are what NTP keeps to with ease."""

LAG_RECORDS = 10_000


class Verdict(StrEnum):
    """How it is."""

    WELL = "well"
    LOOK = "look"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: Which: settings, broker, topics, database, migrations, lag or clock.
        verdict: How it is.
        found: What was found.
        advice: What to do; empty where all is well.
    """

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


def well(check: str, found: str) -> Finding:
    """Return that nothing is to be done."""
    return Finding(check, Verdict.WELL, found)


def broken(check: str, found: str, advice: str) -> Finding:
    """Return what keeps the service from working."""
    return Finding(check, Verdict.BROKEN, found, advice)


def look(check: str, found: str, advice: str) -> Finding:
    """Return what may be as it should, or not."""
    return Finding(check, Verdict.LOOK, found, advice)


def judge_topics(
    found: Mapping[str, TopicFound], *, min_insync: int, declared: Sequence[Topic] = TOPICS
) -> list[Finding]:
    """Return what is wrong with the topics, or that nothing is."""
    findings = [finding for topic in declared for finding in _judge_topic(topic, found, min_insync)]
    return findings or [well("topics", f"all {len(declared)} are there as they are declared")]


def _judge_topic(
    topic: Topic, found: Mapping[str, TopicFound], min_insync: int
) -> Iterator[Finding]:
    there = found.get(topic.name)
    if there is None:
        yield broken("topics", f"{topic.name} is not there", "run `python -m restock_common`")
        return
    if there.partitions != topic.partitions:
        yield broken(
            "topics",
            f"{topic.name} has {there.partitions} partitions instead of {topic.partitions}",
            "keys would lie on other partitions than their history: create it anew, empty, or go "
            "back to the broker that the databases were built from",
        )
    if there.without_leader:
        yield broken(
            "topics",
            f"{topic.name}: {there.without_leader} partitions have no leader",
            "bring the brokers back that hold them",
        )
    elif there.under_replicated:
        yield look(
            "topics",
            f"{topic.name}: {there.under_replicated} partitions lack a replica",
            "bring the missing broker back, or move its replicas",
        )
    if there.replicas < min_insync:
        yield broken(
            "topics",
            f"{topic.name} has {there.replicas} replicas, fewer than the {min_insync} that have to"
            " acknowledge",
            "raise its replication factor, or RESTOCK_KAFKA_MIN_INSYNC_REPLICAS is wrong",
        )
    wanted = topic.config(min_insync_replicas=min_insync)
    for name, value in wanted.items():
        has = there.config.get(name, value)
        if has != value:
            yield look(
                "topics",
                f"{topic.name}: {name} is {has} instead of {value}",
                f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name}"
                f" --add-config {name}={value}",
            )


def judge_migrations(
    applied: Mapping[tuple[str, str], str], packaged: Mapping[tuple[str, str], str]
) -> list[Finding]:
    """Return what is to be said of a database's migrations, both by (package, name), as digests."""
    findings = []
    if changed := [key for key, digest in packaged.items() if applied.get(key, digest) != digest]:
        findings.append(
            broken(
                "migrations",
                f"changed after they had run: {_names(changed)}",
                "run the version that this database was made with; a change is a new migration",
            )
        )
    if unknown := [key for key in applied if key not in packaged]:
        findings.append(
            look(
                "migrations",
                f"the database has some that this version does not know: {_names(unknown)}",
                "it was used by a newer version: docs/operations.md, Rolling a migration back",
            )
        )
    if missing := [key for key in packaged if key not in applied]:
        findings.append(
            look(
                "migrations",
                f"not run yet: {_names(missing)}",
                "the service runs them when it starts",
            )
        )
    return findings or [well("migrations", f"all {len(packaged)} have run")]


def _names(keys: Iterable[tuple[str, str]]) -> str:
    return ", ".join("/".join(key) for key in sorted(keys))


def judge_lag(
    cursors: Mapping[Partition, int], bounds: Mapping[Partition, tuple[int, int]]
) -> list[Finding]:
    """Return what is to be said of how far each partition has been read.

    Args:
        cursors: The next offset that is read.
        bounds: The first offset that is there, and the one after the last.
    """
    findings = []
    for partition, offset in sorted(cursors.items()):
        begin, end = bounds[partition]
        name = f"{partition.topic}[{partition.number}]"
        if offset > end:
            findings.append(
                broken(
                    "lag",
                    f"{name} was read up to {offset}, and ends at {end}",
                    "log and database do not belong together: docs/operations.md, LogMismatch",
                )
            )
        elif offset < begin:
            findings.append(
                broken(
                    "lag",
                    f"{name} is read from {offset}, and begins at {begin}",
                    "retention overtook the reader: docs/operations.md, LogMismatch",
                )
            )
        elif end - offset > LAG_RECORDS:
            findings.append(
                look(
                    "lag",
                    f"{name} has {end - offset:,} records to be read",
                    "look again in a minute; where it grows, add replicas (at most as many as"
                    " partitions) or see why it stands: GET /health/ready",
                )
            )
    total = sum(max(0, bounds[one][1] - offset) for one, offset in cursors.items())
    return findings or [well("lag", f"{total:,} records on {len(cursors)} partitions")]


def judge_clock(ahead_s: float, uncertain_s: float) -> Finding:
    """Return what is to be said of this machine's clock beside the database's."""
    off = max(0.0, abs(ahead_s) - uncertain_s)
    direction = "ahead of" if ahead_s > 0 else "behind"
    if off <= CLOCK_S:
        return well("clock", f"{abs(ahead_s):.1f} s {direction} the database's")
    return broken(
        "clock",
        f"{off:.0f} s {direction} the database's",
        "synchronise both machines (NTP): times decide when holds end and what is refused",
    )
