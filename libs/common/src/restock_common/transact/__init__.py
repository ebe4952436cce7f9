"""Read, decide, save, publish: written once, for every service that owns a database.

One transaction covers a batch of records from one partition: the cursor is locked and checked,
records already taken are passed over, the state they need is loaded, pure decisions are made, the
state is saved, the events are appended to the journal, and the cursor moves. Publishing comes
after the commit, from the journal; a crash in between publishes again, and readers pass over
positions that they have seen. Known here are Protocols only, neither Kafka nor PostgreSQL.
"""

from restock_common.transact.batch import act, read_event, transact
from restock_common.transact.chain import canonical, chained, next_head
from restock_common.transact.letters import Enclosed, dead_letter, open_letter
from restock_common.transact.log import check_log, log_identity
from restock_common.transact.model import (
    Application,
    Cursor,
    Emission,
    Inbox,
    JournalEntry,
    NotLoaded,
    Outcome,
    Outgoing,
    Partition,
    Trace,
    Work,
    Writer,
)

__all__ = [
    "Application",
    "Cursor",
    "Emission",
    "Enclosed",
    "Inbox",
    "JournalEntry",
    "NotLoaded",
    "Outcome",
    "Outgoing",
    "Partition",
    "Trace",
    "Work",
    "Writer",
    "act",
    "canonical",
    "chained",
    "check_log",
    "dead_letter",
    "log_identity",
    "next_head",
    "open_letter",
    "read_event",
    "transact",
]
