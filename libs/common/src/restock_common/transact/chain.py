"""The hash chain over a journal: each kept entry's head follows from the one before and itself.

So the head after an entry is a function of the log alone, wherever batches were cut, and whoever
reads the log again can compare. It is published with the last kept entry of each batch.
"""

from collections.abc import Sequence
from hashlib import sha256

from restock_common.contracts.envelope import chain_header
from restock_common.transact.model import Outgoing


def canonical(entry: Outgoing) -> bytes:
    """Return the bytes of an entry that the chain covers, never the same for two entries.

    They are what was decided: not the trace it travels in, nor the incarnation that publishes it.
    """
    key = entry.key
    attribute = dict(entry.headers).get
    identity, kind = attribute("ce_id", b""), attribute("ce_type", b"")
    time, cause = attribute("ce_time", b""), attribute("ce_causationid", b"")
    return b"%d %b %d %d %d %d %d %d\n%b%b%b%b%b%b" % (
        entry.sequence,
        entry.topic.encode(),
        entry.partition,
        -1 if key is None else len(key),
        len(identity),
        len(kind),
        len(time),
        len(cause),
        key or b"",
        identity,
        kind,
        time,
        cause,
        entry.body,
    )


def next_head(head: bytes, entry: Outgoing) -> bytes:
    """Return the chain's head after one more entry: 32 bytes."""
    return sha256(head + canonical(entry)).digest()


def chained(head: bytes, entries: Sequence[Outgoing]) -> tuple[tuple[Outgoing, ...], bytes]:
    """Return a batch with the head it leads to on its last kept entry, and that head."""
    last = None
    for place, entry in enumerate(entries):
        if entry.kept:
            head = next_head(head, entry)
            last = place
    if last is None:
        return tuple(entries), head
    ending = entries[last]._replace(headers=[*entries[last].headers, chain_header(head)])
    return (*entries[:last], ending, *entries[last + 1 :]), head
