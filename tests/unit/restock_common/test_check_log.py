"""A database and a log that do not belong together are refused, with the reason."""

from dataclasses import replace

import pytest
from tests.unit.restock_common.memory import SHARD, placed, record

from restock_common.errors import LogMismatch
from restock_common.transact import Cursor, check_log, log_identity

CURSOR = Cursor(SHARD, epoch=1, next_offset=10, log_identity="aaaa")


@pytest.mark.parametrize(
    ("cursor", "begin", "end", "identity"),
    [
        (CURSOR, 0, 10, "aaaa"),
        (CURSOR, 0, 25, "aaaa"),
        (CURSOR, 10, 25, None),
        (CURSOR, 3, 10, None),
        (replace(CURSOR, log_identity=None), 0, 10, "bbbb"),
        (Cursor(SHARD, epoch=1), 0, 0, None),
        (Cursor(SHARD, epoch=1), 7, 25, None),
    ],
)
def test_a_log_that_goes_on_where_the_cursor_stands(
    cursor: Cursor, begin: int, end: int, identity: str | None
) -> None:
    check_log(cursor, begin=begin, end=end, identity=identity)


def test_a_log_that_ends_before_the_cursor() -> None:
    with pytest.raises(LogMismatch, match=r"ledger\.v1/1: .* offset 10, the log ends at 4"):
        check_log(CURSOR, begin=0, end=4, identity="aaaa")


def test_another_log() -> None:
    with pytest.raises(LogMismatch, match="built from log aaaa, this is bbbb"):
        check_log(CURSOR, begin=0, end=25, identity="bbbb")


def test_a_log_whose_next_records_were_deleted() -> None:
    with pytest.raises(LogMismatch, match="offsets 10 to 13 were deleted"):
        check_log(CURSOR, begin=14, end=25, identity=None)


def test_logs_with_different_first_records_have_different_identities() -> None:
    first = record(0, placed("o-1", 1))
    others = [
        record(0, placed("o-2", 1)),
        record(0, placed("o-1", 1), identity="another"),
        replace(first, timestamp_ms=first.timestamp_ms + 1),
        replace(first, partition=2),
    ]
    identities = {log_identity(one) for one in [first, *others]}
    assert len(identities) == 5
    assert log_identity(replace(first)) == log_identity(first)
