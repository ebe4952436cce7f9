"""How a partition is written down: one record for each key, and one that makes them valid.

A checkpoint cannot be written in one piece: Faust's table takes one record after the other, and
a crash may come between any two. So it is made whole by versions:

- Every record says up to which offset of the log it has learned (`through`).
- A key's record holds two versions: as it was at the last complete checkpoint, and as it is now.
- The partition's record (global model, offset, positions, watermarks, the open day) is written
  last, once the broker has acknowledged all the keys'. Its offset says which versions count.

On load, of each key the newest version counts that has not learned beyond the partition's offset;
what a half-written checkpoint left is passed over. The log is then read again from that offset on,
or from before it, where records that lie behind the offset are skipped. So a crash loses nothing,
learns nothing twice, and what is published comes out the same.
"""

import struct
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson

from forecaster.domain.calendar import WeekdayProfile
from forecaster.domain.decay import HALF_LIVES_DAYS
from forecaster.domain.dispersion import Errors, PooledErrors
from forecaster.domain.model import KeyState, Pool
from forecaster.handlers import Key, KeyRecord, PartitionState
from restock_common.contracts.envelope import Position
from restock_common.errors import LogMismatch

FORMAT = 1
"""Raised when the layout of a record changes."""

_SEPARATOR = "\x1f"  # identifiers hold no control characters
_LEVELS = len(HALF_LIVES_DAYS)
_HEAD = struct.Struct("<BB")  # format, number of versions
_VERSION = struct.Struct("<qBH")  # through, whether learned, number of open days
_LEARNED = struct.Struct(f"<iiii{_LEVELS}dddd3d")
_ASKED = struct.Struct("<iq")


def key_name(partition: int, key: Key) -> bytes:
    """Return the name of a key's record; it begins with the partition, so that a scan can tell."""
    return _SEPARATOR.join((str(partition), key.sku, key.location)).encode()


def partition_name(partition: int) -> bytes:
    """Return the name of a partition's record."""
    return str(partition).encode()


def key_records(state: PartitionState, complete: int) -> dict[bytes, bytes]:
    """Return the records of the keys that have changed since the last checkpoint, by name.

    Args:
        state: As it is now.
        complete: The offset of the last complete checkpoint.
    """
    records = {}
    for key in sorted(state.before):
        old, new = state.before[key], state.record_of(key)
        versions = [(state.next_offset, new)]
        if old != KeyRecord(None):
            versions.append((complete, old))
        records[key_name(state.number, key)] = _pack_versions(versions)
    return records


def partition_record(state: PartitionState) -> bytes:
    """Return the record that makes a checkpoint complete."""
    pool = state.pool
    return orjson.dumps(
        {
            "format": FORMAT,
            "next_offset": state.next_offset,
            "log_identity": state.log_identity,
            "seen": {source: list(position) for source, position in state.seen.items()},
            "watermarks": {source: until.isoformat() for source, until in state.watermarks.items()},
            "open_day": state.open_day,
            "pool": {
                "weekday_units": pool.weekdays.units,
                "weekday_days": pool.weekdays.days,
                "errors": [(one.days, one.weeks, one.mean) for one in pool.errors.buckets],
                "window_units": pool.window_units,
                "window_days": pool.window_days,
            },
        }
    )


def load(
    records: Iterable[tuple[bytes, bytes]], partitions: Iterable[int]
) -> dict[int, PartitionState]:
    """Return the partitions as of their last complete checkpoint; empty ones where there is none.

    Raises:
        LogMismatch: A record was written by a newer version of this service, or the partition's
            record is older than the last complete checkpoint.
    """
    wanted = {partition: PartitionState(partition) for partition in partitions}
    keys: list[tuple[int, Key, bytes]] = []
    for name, value in records:
        number, *rest = name.decode().split(_SEPARATOR)
        partition = int(number)
        if partition not in wanted:
            continue
        if rest:
            keys.append((partition, Key(*rest), value))
        else:
            wanted[partition] = _partition(partition, orjson.loads(value))
    for partition, key, value in keys:
        state = wanted[partition]
        record = _version_at(value, state.next_offset)
        if record is None:
            continue
        if record.learned is not None:
            state.learned[key] = record.learned
        for day, units in record.asked:
            state.asked.setdefault(day, {})[key] = units
    return wanted


def _partition(number: int, body: Mapping[str, Any]) -> PartitionState:
    _check_format(body["format"])
    pool = body["pool"]
    return PartitionState(
        number=number,
        next_offset=body["next_offset"],
        log_identity=body["log_identity"],
        seen={source: Position(*position) for source, position in body["seen"].items()},
        watermarks={
            source: datetime.fromisoformat(until) for source, until in body["watermarks"].items()
        },
        open_day=body["open_day"],
        pool=Pool(
            weekdays=WeekdayProfile(tuple(pool["weekday_units"]), tuple(pool["weekday_days"])),
            errors=PooledErrors(tuple(Errors(*one) for one in pool["errors"])),
            window_units=pool["window_units"],
            window_days=pool["window_days"],
        ),
    )


def _pack_versions(versions: list[tuple[int, KeyRecord]]) -> bytes:
    parts = [_HEAD.pack(FORMAT, len(versions))]
    for through, record in versions:
        known = record.learned
        parts.append(_VERSION.pack(through, known is not None, len(record.asked)))
        if known is not None:
            parts.append(_pack_learned(known))
        parts.extend(_ASKED.pack(day, units) for day, units in record.asked)
    return b"".join(parts)


def _version_at(value: bytes, complete: int) -> KeyRecord | None:
    """Return the newest version that has learned no further than `complete`; None before any.

    Raises:
        LogMismatch: The older version belongs to a complete checkpoint that the partition's record
            knows nothing of, so what the key had learned by `complete` is gone.
    """
    written, count = _HEAD.unpack_from(value)
    _check_format(written)
    at = _HEAD.size
    for _ in range(count):  # newest first
        through, learned, days = _VERSION.unpack_from(value, at)
        at += _VERSION.size
        known = None
        if learned:
            known = _unpack_learned(value, at)
            at += _LEARNED.size
        end = at + days * _ASKED.size
        if through <= complete:
            return KeyRecord(known, tuple(_ASKED.iter_unpack(value[at:end])))
        at = end
    if count > 1:
        raise LogMismatch(
            f"a key has learned up to {through}, its partition only to {complete}: records are "
            "missing; delete the data directory, the changelog topic and the group's offsets to "
            "learn again from the log"
        )
    return None


def _pack_learned(known: KeyState) -> bytes:
    errors = known.errors
    return _LEARNED.pack(
        known.first_day,
        known.last_day,
        known.window_start,
        known.published_day,
        *known.sums,
        known.window_rate,
        known.window_units,
        known.window_squares,
        errors.days,
        errors.weeks,
        errors.mean,
    )


def _unpack_learned(value: bytes, at: int) -> KeyState:
    first_day, last_day, window_start, published_day, *rest = _LEARNED.unpack_from(value, at)
    rate, units, squares, *errors = rest[_LEVELS:]
    return KeyState(
        first_day=first_day,
        last_day=last_day,
        sums=tuple(rest[:_LEVELS]),
        window_start=window_start,
        window_rate=rate,
        window_units=units,
        window_squares=squares,
        errors=Errors(*errors),
        published_day=published_day,
    )


def _check_format(written: int) -> None:
    if written != FORMAT:
        raise LogMismatch(
            f"the table holds records of format {written}, this version reads {FORMAT}: "
            "delete the data directory and the changelog topic to learn again from the log"
        )
