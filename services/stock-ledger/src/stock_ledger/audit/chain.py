"""Walks one shard's hash chain from its beginning, and says what is wrong where it breaks."""

from dataclasses import dataclass, replace
from enum import StrEnum

from restock_common.transact import Cursor, JournalEntry, next_head


class Fault(StrEnum):
    """What differs from the history that was written."""

    CHANGED = "an entry was changed"
    REMOVED = "an entry was removed"
    INSERTED = "an entry was inserted"
    BATCH = "a row of batches was changed or removed"
    CUT = "history was cut"
    PUBLISHED = "the head differs from the published one"


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that kept entries: where they end, how many, and what was stored with them."""

    last_sequence: int
    entries: int
    next_offset: int
    head: bytes


BEGINNING = Batch(last_sequence=0, entries=0, next_offset=0, head=bytes(32))


@dataclass(frozen=True, slots=True)
class Finding:
    """The first place where a shard's history is not what was written.

    Attributes:
        shard: Whose journal.
        fault: What differs.
        first_sequence: Where the bad batch begins in the journal.
        last_sequence: Where it ends, inclusive.
        first_offset: The first record of the ledger topic that it can stem from.
        last_offset: The last one; None where nobody knows any more.
        detail: What was found, with the figures.
    """

    shard: int
    fault: Fault
    first_sequence: int
    last_sequence: int
    first_offset: int
    last_offset: int | None
    detail: str


class Walk:
    """Takes a shard's kept entries and its batches, in order, and tells the first fault.

    Nothing is kept but the head so far, so a journal may have any length.
    """

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._before = BEGINNING
        self._in_batch = 0
        self._suspect: Finding | None = None
        self.last_sequence = 0
        self.entries = 0
        self.batches = 0
        self.head = BEGINNING.head

    def take(self, entry: JournalEntry) -> None:
        """Go on to the next entry."""
        self.head = next_head(self.head, entry)
        self.last_sequence = entry.sequence
        self._in_batch += 1
        self.entries += 1

    def end_batch(self, batch: Batch) -> Finding | None:
        """Compare with a batch whose entries have been taken; return what is wrong up to it."""
        if self._suspect is not None:
            return self._resolve(batch.head)
        before, taken = self._before, self._in_batch
        self._before, self._in_batch = batch, 0
        self.batches += 1
        if self.head == batch.head:
            rows_right = taken == batch.entries and self.last_sequence == batch.last_sequence
            if rows_right and before.next_offset <= batch.next_offset:
                return None
            detail = (
                f"the entries lead to its head; it says {batch.entries} entries up to"
                f" {batch.last_sequence} and offset {batch.next_offset}, there are {taken} up to"
                f" {self.last_sequence}, and the batch before ended at offset {before.next_offset}"
            )
            return self._finding(Fault.BATCH, before, batch, detail)
        told = f"there are {taken} entries, {batch.entries} were written"
        if taken < batch.entries:
            return self._finding(Fault.REMOVED, before, batch, told)
        if taken > batch.entries:
            return self._finding(Fault.INSERTED, before, batch, told)
        detail = f"the entries lead to the head {self.head.hex()}, stored is {batch.head.hex()}"
        self._suspect = self._finding(Fault.CHANGED, before, batch, detail)
        return None

    def end(self, cursor: Cursor) -> Finding | None:
        """Compare with where the shard's writer stands, after all entries and batches."""
        if self._suspect is not None:
            return self._resolve(cursor.head)
        beyond = Batch(cursor.next_sequence - 1, 0, cursor.next_offset, cursor.head)
        if self._in_batch:
            same = self.head == cursor.head
            detail = f"{self._in_batch} entries follow after the last batch"
            fault = Fault.BATCH if same else Fault.INSERTED
            end = replace(beyond, last_sequence=max(beyond.last_sequence, self.last_sequence))
            return self._finding(fault, self._before, end, detail)
        if self.head == cursor.head and self.last_sequence < cursor.next_sequence:
            return None
        detail = (
            f"the journal ends at sequence {self.last_sequence} with the head {self.head.hex()};"
            f" its writer stood at sequence {beyond.last_sequence} with {cursor.head.hex()}"
        )
        return self._finding(Fault.CUT, self._before, beyond, detail)

    def _resolve(self, following: bytes) -> Finding:
        """Tell a changed entry from a changed row: only after the row does the chain go on."""
        assert self._suspect is not None, "asked only where a head differed"
        if self.head != following:
            return self._suspect
        detail = f"what follows agrees with the entries: {self._suspect.detail}"
        return replace(self._suspect, fault=Fault.BATCH, detail=detail)

    def _finding(self, fault: Fault, before: Batch, batch: Batch, detail: str) -> Finding:
        return Finding(
            shard=self._shard,
            fault=fault,
            first_sequence=before.last_sequence + 1,
            last_sequence=max(batch.last_sequence, before.last_sequence + 1),
            first_offset=before.next_offset,
            last_offset=max(batch.next_offset - 1, before.next_offset),
            detail=detail,
        )
