"""How a partition is written down: one record for each part, and one that makes them valid.

A checkpoint cannot be written in one piece: Faust's table takes one record after the other, and
a crash may come between any two. So it is made whole by versions:

- A part's record (of a key, a group, a sku's plans; see `domain.state`) holds two versions: as it
  was at the last complete checkpoint, and as it is now, each with the offset that it has learned
  up to.
- The partition's record (offset, positions, watermarks, the open day, and a digest of all parts)
  is written last, once the broker has acknowledged all the others.

On load, of each part the newest version counts that has not learned beyond the partition's offset;
what a half-written checkpoint left is passed over. The log is then read again from that offset on.
So a crash loses nothing, learns nothing twice, and what is published comes out the same.

What a disk holds may also be a mixture: a changelog that was replayed over newer records and not
to its end, or what a process wrote that had been replaced without knowing. No order of writing can
tell that from a whole; the digest does: the sum over all parts of a hash of each. A partition
whose parts do not add up is `Torn`, and is taken from the changelog, or learned from the log
again.
"""

import struct
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from forecaster.domain.calendar import WeekdayProfile
from forecaster.domain.checkpoint import Checkpoint, Loaded, Torn
from forecaster.domain.state import DEFAULT_LEARNER, Name, PartitionState, new_partition

FORMAT = 2
"""Raised when the layout of a record changes; what has another is learned again from the log."""

_SEPARATOR = "\x1f"  # identifiers hold no control characters
_HEAD = struct.Struct("<BIB")  # format, life, number of versions
_VERSION = struct.Struct("<qI")  # through, bytes
_DIGEST_BYTES = 8
_DIGEST_MODULUS = 1 << (8 * _DIGEST_BYTES)


def part_name(partition: int, name: Name) -> bytes:
    """Return the name of a part's record; it begins with the partition, so that a scan can tell."""
    return _SEPARATOR.join((str(partition), *name)).encode()


def head_name(partition: int) -> bytes:
    """Return the name of a partition's own record."""
    return str(partition).encode()


def checkpoint(state: PartitionState, complete: int, digest: int) -> Checkpoint:
    """Return what is to be written of a state.

    Args:
        state: As it is now.
        complete: The offset of the last complete checkpoint.
        digest: Of all parts as of then.
    """
    parts = {}
    for name, old, new in state.changed():
        record = part_name(state.number, name)
        digest += _hashed(record, new) - _hashed(record, old)
        versions = [(state.next_offset, new), (complete, old)]
        parts[record] = _pack(state.life, versions if old else versions[:1])
    digest %= _DIGEST_MODULUS
    return Checkpoint(parts, _head(state, digest), digest)


def digest_of(state: PartitionState) -> int:
    """Return the digest of all parts of a state."""
    parts = ((part_name(state.number, name), part) for name, part in state.parts())
    return sum(_hashed(record, part) for record, part in parts) % _DIGEST_MODULUS


def whole(state: PartitionState) -> dict[bytes, bytes]:
    """Return all of a state as bytes: every part, and the partition's record."""
    parts = {part_name(state.number, name): part for name, part in state.parts()}
    return parts | {head_name(state.number): _head(state, digest_of(state))}


def load(
    records: Iterable[tuple[bytes, bytes]], numbers: Iterable[int], learner: str = DEFAULT_LEARNER
) -> dict[int, Loaded | Torn]:
    """Return the partitions as of their last complete checkpoint; empty ones where there is none.

    Args:
        records: Of a table, in any order.
        numbers: Which partitions are wanted.
        learner: What learns.
    """
    heads: dict[int, bytes] = {}
    parts: dict[int, list[tuple[Name, bytes, bytes]]] = {number: [] for number in numbers}
    for record, value in records:
        number, *rest = record.decode().split(_SEPARATOR)
        partition = int(number)
        if partition not in parts:
            continue
        if rest:
            parts[partition].append((tuple(rest), record, value))
        else:
            heads[partition] = value
    return {
        number: _loaded(number, heads.get(number), mine, learner) for number, mine in parts.items()
    }


def relearning(number: int, torn: Torn, learner: str = DEFAULT_LEARNER) -> PartitionState:
    """Return a partition that learns its log again, and does not say again what has been said."""
    state = PartitionState(number, new_partition(learner))
    state.silent_until = torn.next_offset
    state.life = torn.life + 1
    return state


def _loaded(
    number: int, head: bytes | None, parts: list[tuple[Name, bytes, bytes]], learner: str
) -> Loaded | Torn:
    if head is None:
        return Loaded(PartitionState(number, new_partition(learner)))
    told: Mapping[str, Any] = {}
    offset = life = 0
    try:
        told = orjson.loads(head)
        offset = max(int(told.get("next_offset", 0)), int(told.get("silent_until", 0)))
        life = int(told.get("life", 0))
        state = _from_head(number, told, learner)
        digest = 0
        found: list[tuple[Name, bytes]] = []
        for name, record, value in parts:
            part = _version_at(value, state.life, state.next_offset)
            if part:
                digest += _hashed(record, part)
                found.append((name, part))
        if digest % _DIGEST_MODULUS != told["digest"]:
            return Torn("the parts do not add up to what the partition's record says", offset, life)
        state.take_parts(found)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, struct.error) as error:
        return Torn(f"{type(error).__name__}: {error}", offset, life)
    return Loaded(state, digest % _DIGEST_MODULUS, head)


def _head(state: PartitionState, digest: int) -> bytes:
    partition = state.partition
    return orjson.dumps(
        {
            "format": FORMAT,
            "life": state.life,
            "learner": [partition.learner.name, partition.learner.version],
            "digest": digest,
            "next_offset": state.next_offset,
            "silent_until": state.silent_until,
            "log_identity": state.log_identity,
            "seen": state.seen,
            "watermarks": {source: until.isoformat() for source, until in state.watermarks.items()},
            "open_day": state.open_day,
            "complete": state.facts.complete,
            "weekdays": [partition.weekdays.units, partition.weekdays.days],
            "rates": partition.rates,
        },
        option=orjson.OPT_SORT_KEYS,
    )


def _from_head(number: int, told: Mapping[str, Any], learner: str) -> PartitionState:
    """Return a partition without its parts. Raises ValueError, KeyError where it is not ours."""
    if told["format"] != FORMAT:
        raise ValueError(f"format {told['format']}, this version reads {FORMAT}")
    partition = new_partition(learner)
    mine = [partition.learner.name, partition.learner.version]
    if told["learner"] != mine:
        raise ValueError(f"learned by {told['learner']}, this process runs {mine}")
    units, days = told["weekdays"]
    partition.weekdays = WeekdayProfile(tuple(units), tuple(days))
    partition.rates = dict(told["rates"])
    state = PartitionState(number, partition)
    state.next_offset = told["next_offset"]
    state.silent_until = told["silent_until"]
    state.life = told["life"]
    state.log_identity = told["log_identity"]
    state.seen = {source: (place[0], place[1]) for source, place in told["seen"].items()}
    state.watermarks = {
        source: datetime.fromisoformat(until) for source, until in told["watermarks"].items()
    }
    state.open_day = told["open_day"]
    state.facts.complete = told["complete"]
    return state


def _pack(life: int, versions: list[tuple[int, bytes]]) -> bytes:
    packed = [_HEAD.pack(FORMAT, life, len(versions))]
    for through, part in versions:
        packed.append(_VERSION.pack(through, len(part)))
        packed.append(part)
    return b"".join(packed)


def _version_at(value: bytes, life: int, complete: int) -> bytes:
    """Return the newest version that has learned no further than `complete`; empty before any."""
    written, of_life, count = _HEAD.unpack_from(value)
    if written != FORMAT or of_life != life:
        return b""
    at = _HEAD.size
    for _ in range(count):  # newest first
        through, size = _VERSION.unpack_from(value, at)
        at += _VERSION.size
        if through <= complete:
            return value[at : at + size]
        at += size
    return b""


def _hashed(record: bytes, part: bytes) -> int:
    if not part:
        return 0
    hashed = blake2b(part, digest_size=_DIGEST_BYTES)
    hashed.update(record)
    return int.from_bytes(hashed.digest(), "little")
