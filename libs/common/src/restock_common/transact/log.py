"""Does this log belong to this database? Asked when a partition is taken over."""

from hashlib import sha256

from restock_common.contracts.envelope import Record
from restock_common.errors import LogMismatch
from restock_common.transact.model import Cursor


def log_identity(first: Record) -> str:
    """Return what tells this log from another one: a digest of its first record."""
    digest = sha256(f"{first.topic}/{first.partition}/{first.timestamp_ms}".encode())
    for name, value in first.headers:
        digest.update(name.encode() + b"=" + value)
    digest.update(first.value or b"")
    return digest.hexdigest()[:32]


def check_log(cursor: Cursor, *, begin: int, end: int, identity: str | None) -> None:
    """Refuse a log that this cursor's database does not belong to.

    Args:
        cursor: Where the service stands.
        begin: The log's first offset that still exists.
        end: The offset after its last record.
        identity: `log_identity` of its record 0; None where that is gone or not there yet.

    Raises:
        LogMismatch: The cursor is beyond the end, the log is another one, or what comes next in
            it has been deleted.
    """
    place = f"{cursor.partition.topic}/{cursor.partition.number}"
    if cursor.next_offset > end:
        raise LogMismatch(
            f"{place}: the database stands at offset {cursor.next_offset}, the log ends at {end}: "
            "the log was cut or replaced; restore the log, or the database with a new incarnation"
        )
    if cursor.log_identity and identity and cursor.log_identity != identity:
        raise LogMismatch(
            f"{place}: the database was built from log {cursor.log_identity}, this is {identity}"
        )
    if cursor.next_offset < begin and cursor.next_offset > 0:
        raise LogMismatch(
            f"{place}: offsets {cursor.next_offset} to {begin - 1} were deleted before they were "
            "read: raise the topic's retention and rebuild from its publisher's journal"
        )
