"""The hash chain over a journal: each kept entry's head follows from the one before and itself.

So the head after an entry is a function of the log alone, wherever batches were cut, and whoever
reads the log again can compare. It is published with the last kept entry of each batch.
"""

from collections.abc import Sequence
from hashlib import sha256

from restock_common.transact.model import JournalEntry


def canonical(entry: JournalEntry) -> bytes:
    """Return the bytes of an entry that the chain covers, never the same for two entries.

    They are what was decided: not the trace it travels in, nor the incarnation that publishes it.
    """
    sequence, topic, partition, key, identity, event_type, time, cause = entry[:8]
    told = (
        f"{sequence} {topic} {partition} {-1 if key is None else len(key)} {len(identity)}"
        f" {len(event_type)} {len(time)} {-1 if cause is None else len(cause)}"
        f"\n{identity}{event_type}{time}{cause or ''}"
    )
    return b"%b%b%b" % (told.encode(), key or b"", entry.body)


def next_head(head: bytes, entry: JournalEntry) -> bytes:
    """Return the chain's head after one more entry: 32 bytes."""
    return sha256(head + canonical(entry)).digest()


def chained(head: bytes, entries: Sequence[JournalEntry]) -> tuple[tuple[JournalEntry, ...], bytes]:
    """Return a batch with the head it leads to on its last kept entry, and that head."""
    last = None
    for place, entry in enumerate(entries):
        if entry.kept:
            head = next_head(head, entry)
            last = place
    if last is None:
        return tuple(entries), head
    ending = entries[last]._replace(head=head)
    return (*entries[:last], ending, *entries[last + 1 :]), head
