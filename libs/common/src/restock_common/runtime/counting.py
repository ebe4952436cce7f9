"""Counts what became of a batch, and logs what could not be taken."""

import time

import structlog

from restock_common import telemetry
from restock_common.transact import Outcome, Partition

log = structlog.get_logger()


def count(partition: Partition, outcome: Outcome) -> None:
    """Count the records of one batch that was committed."""
    records = telemetry.RECORDS
    records.labels(partition.topic, "handled").inc(len(outcome.handled))
    if outcome.duplicates:
        records.labels(partition.topic, "duplicate").inc(outcome.duplicates)
    if outcome.dead_letters:
        records.labels(partition.topic, "dead_letter").inc(len(outcome.dead_letters))
        for letter in outcome.dead_letters:
            log.warning(
                "dead_letter",
                topic=letter.source_topic,
                partition=letter.source_partition,
                offset=letter.source_offset,
                field=letter.field,
                reason=letter.reason,
            )
    if outcome.handled:
        age_s = time.time() - outcome.handled[-1].time.timestamp()
        telemetry.EVENT_AGE.labels(partition.topic).set(age_s)
