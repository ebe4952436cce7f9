"""Whatever is done to a journal, the walk over its chain names the first batch that shows it."""

from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from restock_common.contracts.topics import DEMAND, LEDGER, STOCK
from restock_common.transact import Cursor, JournalEntry, Partition, canonical, chained
from stock_ledger.audit import Fault, Finding
from stock_ledger.audit.chain import Batch, Walk

T = TypeVar("T")

SHARD = 2


@dataclass(frozen=True)
class History:
    """One shard's journal, cut into batches."""

    entries: list[JournalEntry]
    batches: list[Batch]
    cursor: Cursor

    def found(self) -> Finding | None:
        """Walk over all of it."""
        walk = Walk(SHARD)
        rest = list(self.entries)
        for batch in self.batches:
            while rest and rest[0].sequence <= batch.last_sequence:
                walk.take(rest.pop(0))
            finding = walk.end_batch(batch)
            if finding is not None:
                return finding
        for entry in rest:
            walk.take(entry)
        return walk.end(self.cursor)

    def range_of(self, sequence: int) -> tuple[int, int]:
        """Return the first and the last sequence of the batch that a sequence belongs to."""
        before = 0
        for batch in self.batches:
            if sequence <= batch.last_sequence:
                return before + 1, batch.last_sequence
            before = batch.last_sequence
        return before + 1, max(before + 1, self.cursor.next_sequence - 1)


some_text = st.text(" \n1aä", max_size=3)


@st.composite
def unnumbered(draw: st.DrawFn) -> JournalEntry:
    """Return an entry that has no number yet."""
    return JournalEntry(
        sequence=0,
        topic=draw(st.sampled_from([STOCK.name, DEMAND.name])),
        partition=draw(st.integers(0, 3)),
        key=draw(st.none() | st.binary(max_size=3)),
        id=draw(some_text),
        type=draw(some_text),
        time=draw(some_text),
        cause=draw(st.none() | some_text),
        traceparent=draw(st.none() | some_text),
        incarnation=draw(st.integers(1, 3)),
        body=draw(st.binary(max_size=3)),
        kept=draw(st.integers(0, 4)) > 0,
    )


def written(entries: list[JournalEntry], cuts: set[int]) -> History:
    """Return the history that a writer leaves behind: batches end after the places in `cuts`."""
    entries = [one._replace(sequence=n) for n, one in enumerate(entries, 1)]
    head, kept, batches = bytes(32), list[JournalEntry](), list[Batch]()
    start = 0
    for end in sorted({*(cut for cut in cuts if cut < len(entries)), len(entries)}):
        batch, head = chained(head, entries[start:end])
        of_it = [one for one in batch if one.kept]
        if of_it:
            batches.append(Batch(of_it[-1].sequence, len(of_it), 10 * end, head))
        kept += of_it
        start = end
    cursor = Cursor(
        Partition(LEDGER.name, SHARD),
        epoch=1,
        next_offset=10 * len(entries),
        next_sequence=len(entries) + 1,
        head=head,
    )
    return History(kept, batches, cursor)


some_entries = st.lists(unnumbered(), min_size=1, max_size=12)
cuts = st.sets(st.integers(1, 11))
histories = st.builds(written, some_entries, cuts)
with_entries = histories.filter(lambda history: bool(history.entries))


@given(some_entries, cuts, cuts)
def test_the_chain_is_the_same_wherever_batches_are_cut(
    entries: list[JournalEntry], some: set[int], others: set[int]
) -> None:
    one, other = written(entries, some), written(entries, others)
    assert one.cursor.head == other.cursor.head
    assert one.found() is None
    ends = {batch.last_sequence: batch.head for batch in one.batches}
    assert all(ends.get(b.last_sequence, b.head) == b.head for b in other.batches)


@given(with_entries, st.data())
def test_a_changed_entry_is_found_in_its_batch(history: History, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(history.entries) - 1))
    old = history.entries[place]
    other = data.draw(unnumbered())
    changed = other._replace(sequence=old.sequence, kept=True)
    tampered = replace(history, entries=replaced(history.entries, place, [changed]))
    if canonical(changed) == canonical(old):
        assert tampered.found() is None, "only what is decided is covered"
    else:
        assert_found(tampered, Fault.CHANGED, history.range_of(old.sequence))


@given(with_entries, st.data())
def test_a_removed_entry_is_found_in_its_batch(history: History, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(history.entries) - 1))
    tampered = replace(history, entries=replaced(history.entries, place, []))
    at = history.range_of(history.entries[place].sequence)
    assert_found(tampered, Fault.REMOVED, at)


@given(histories, unnumbered(), st.data())
def test_an_inserted_entry_is_found_in_its_batch(
    history: History, new: JournalEntry, data: st.DataObject
) -> None:
    """There is room where time was passed on, and at the end."""
    taken = {entry.sequence for entry in history.entries}
    free = [n for n in range(1, history.cursor.next_sequence + 1) if n not in taken]
    sequence = data.draw(st.sampled_from(free))
    inserted = new._replace(sequence=sequence, kept=True)
    entries = sorted([*history.entries, inserted], key=lambda entry: entry.sequence)
    finding = replace(history, entries=entries).found()
    assert finding is not None
    assert finding.fault is Fault.INSERTED
    assert finding.first_sequence == history.range_of(sequence)[0]
    assert finding.first_sequence <= sequence <= finding.last_sequence


@given(histories.filter(lambda history: len(history.entries) > 1), st.data())
def test_two_swapped_entries_are_found_in_the_first_ones_batch(
    history: History, data: st.DataObject
) -> None:
    n = data.draw(st.integers(0, len(history.entries) - 2))
    m = data.draw(st.integers(n + 1, len(history.entries) - 1))
    first, second = history.entries[n], history.entries[m]
    entries = replaced(history.entries, n, [second._replace(sequence=first.sequence)])
    entries = replaced(entries, m, [first._replace(sequence=second.sequence)])
    if canonical(entries[n]) == canonical(first):
        assert replace(history, entries=entries).found() is None, "they are the same"
    else:
        at = history.range_of(first.sequence)
        assert_found(replace(history, entries=entries), Fault.CHANGED, at)


@given(with_entries, st.data())
def test_a_changed_head_is_told_from_a_changed_entry(history: History, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(history.batches) - 1))
    old = history.batches[place]
    batches = replaced(history.batches, place, [replace(old, head=b"\x01" * 32)])
    tampered = replace(history, batches=batches)
    assert_found(tampered, Fault.BATCH, history.range_of(old.last_sequence))


@given(with_entries, st.data())
def test_a_row_of_batches_that_is_gone_is_found(history: History, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(history.batches) - 1))
    tampered = replace(history, batches=replaced(history.batches, place, []))
    at = tampered.range_of(history.batches[place].last_sequence)
    assert_found(tampered, Fault.BATCH, at)


@given(with_entries, st.data())
def test_a_history_that_was_cut_is_found_after_its_end(
    history: History, data: st.DataObject
) -> None:
    left = data.draw(st.integers(0, len(history.batches) - 1))
    end = history.batches[left - 1].last_sequence if left else 0
    tampered = replace(
        history,
        batches=history.batches[:left],
        entries=[entry for entry in history.entries if entry.sequence <= end],
    )
    assert_found(tampered, Fault.CUT, (end + 1, history.cursor.next_sequence - 1))


@given(unnumbered(), unnumbered(), st.integers(1, 20), st.integers(1, 20))
def test_no_two_entries_have_the_same_bytes(
    one: JournalEntry, other: JournalEntry, first: int, second: int
) -> None:
    """Only what is not covered may differ."""
    one, other = one._replace(sequence=first), other._replace(sequence=second)
    assert (canonical(one) == canonical(other)) == (decided(one) == decided(other))


def decided(entry: JournalEntry) -> tuple[object, ...]:
    return *entry[:8], entry.body


def replaced(items: list[T], place: int, new: list[T]) -> list[T]:
    return [*items[:place], *new, *items[place + 1 :]]


def assert_found(history: History, fault: Fault, at: tuple[int, int]) -> None:
    finding = history.found()
    assert finding is not None
    assert (finding.fault, finding.first_sequence, finding.last_sequence) == (fault, *at)
