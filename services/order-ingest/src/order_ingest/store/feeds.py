"""What was heard of shops, in PostgreSQL: rhythms, the states of orders, and missing numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from order_ingest.domain.gaps import HOURS, Numbered, Numbers, Range, Rhythm
from order_ingest.handlers import Heard, Sighting, Totals
from restock_common.postgres import Connection

_ASSESSOR_LOCK = 7_265_737_418  # any constant: one replica at a time tells which shops are silent
_SOME = 2_000
_FORGOTTEN_AT_ONCE = 10_000
_BEFORE = timedelta(hours=1)
"""An order that is told late by no more than that belongs to the time that is watched."""

_SHORTEST_SILENCE = timedelta(minutes=5)
"""Webhooks may come late by minutes, all at once."""


class PostgresFeedBook:
    """Writes to and reads from `feeds`, `sightings` and `missing_numbers`."""

    async def hear(self, connection: Connection, heard: Mapping[str, Heard]) -> None:
        """Write what was heard of shops; in a transaction."""
        rows = await _locked(connection, {shop: one.received_at for shop, one in heard.items()})
        updates = []
        for row in rows:
            one = heard[row["shop"]]
            rhythm = _rhythm(row).after(row["now"], one.orders)
            spoke = one.channel != "" and (
                row["received_at"] is None or one.received_at >= row["received_at"]
            )
            last = one if spoke else None
            updates.append(
                (
                    row["shop"],
                    last.channel if last else row["channel"],
                    last.kind if last else row["kind"],
                    last.told_at if last else row["told_at"],
                    last.received_at if last else row["received_at"],
                    None if last else row["silent_since"],
                    row["found"] + one.found,
                    *_columns(rhythm),
                )
            )
        await connection.executemany(
            "UPDATE feeds SET channel = $2, kind = $3, told_at = $4, received_at = $5,"
            " silent_since = $6, found = $7, hour = $8, hour_orders = $9, rhythm_orders = $10,"
            " rhythm_hours = $11 WHERE shop = $1",
            updates,
        )

    async def sight(self, connection: Connection, seen: Sequence[Sighting]) -> None:
        """Write which orders were shown, each in its latest state, by one statement."""
        latest: dict[tuple[str, str], Sighting] = {}
        for one in sorted(seen, key=lambda one: one.shown.changed_at):
            latest[one.shop, one.shown.order] = one
        keys = sorted(latest)  # so that two writers cannot deadlock
        shown = [latest[key].shown for key in keys]
        await connection.execute(
            "INSERT INTO sightings"
            " (shop, order_id, number, placed_at, changed_at, state, counted)"
            " SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[],"
            " $5::timestamptz[], $6::bigint[], $7::boolean[])"
            " ON CONFLICT (shop, order_id) DO UPDATE SET changed_at = excluded.changed_at,"
            " state = excluded.state, seen_at = now()"
            " WHERE sightings.changed_at <= excluded.changed_at",
            [shop for shop, _ in keys],
            [order for _, order in keys],
            [one.number for one in shown],
            [one.placed_at for one in shown],
            [one.changed_at for one in shown],
            [one.state for one in shown],
            [latest[key].counted and latest[key].shown.number is not None for key in keys],
        )

    async def states(
        self, connection: Connection, shop: str, orders: Sequence[str]
    ) -> Mapping[str, int]:
        """Return in which state orders were last shown; unknown ones are missing."""
        rows = await connection.fetch(
            "SELECT order_id, state FROM sightings WHERE shop = $1 AND order_id = ANY($2)",
            shop,
            orders,
        )
        return {row["order_id"]: row["state"] for row in rows}

    async def fold(self, connection: Connection) -> int:
        """Take some numbers that were seen for what they say; return how many; in a transaction."""
        seen = await connection.fetch(
            "UPDATE sightings SET counted = false WHERE (shop, order_id) IN (SELECT shop, order_id"
            " FROM sightings WHERE counted ORDER BY shop, number LIMIT $1 FOR UPDATE SKIP LOCKED)"
            " RETURNING shop, number, placed_at, seen_at",
            _SOME,
        )
        by_shop: dict[str, list[Mapping[str, Any]]] = {}
        for row in seen:
            by_shop.setdefault(row["shop"], []).append(row)
        heard = {shop: min(map(itemgetter("seen_at"), rows)) for shop, rows in by_shop.items()}
        for row in await _locked(connection, heard):
            before = await _numbers(connection, row)
            orders = [Numbered(one["number"], one["placed_at"]) for one in by_shop[row["shop"]]]
            after = before.see(orders, row["since"], row["now"])
            await _write_numbers(connection, row["shop"], before, after)
        return len(seen)

    async def assess(self, connection: Connection, chance: float) -> Mapping[str, bool]:
        """Tell which shops are silent; return those that began or ceased to be; in a transaction.

        One replica does; the others return nothing.
        """
        if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _ASSESSOR_LOCK):
            return {}
        rows = await connection.fetch(
            "SELECT feeds.*, now() AS now,"
            " coalesce((settings->>'alert_when_silent')::boolean, true)"
            " AND coalesce((settings->>'sandbox')::boolean, false) IS FALSE AS watched"
            " FROM feeds LEFT JOIN shops USING (shop)"
            " WHERE received_at IS NOT NULL ORDER BY shop FOR UPDATE OF feeds"
        )
        updates, changed = [], {}
        for row in rows:
            now, heard_at = row["now"], row["received_at"]
            before = _rhythm(row)
            rhythm = before.after(now)
            silent = (
                row["watched"]
                and now - heard_at >= _SHORTEST_SILENCE
                and rhythm.chance_of_nothing(heard_at, now) < chance
            )
            was_silent = row["silent_since"] is not None
            if silent != was_silent:
                changed[row["shop"]] = silent
            if silent != was_silent or rhythm.hour != before.hour:
                since = (row["silent_since"] or now) if silent else None
                updates.append((row["shop"], since, *_columns(rhythm)))
        await connection.executemany(
            "UPDATE feeds SET silent_since = $2, hour = $3, hour_orders = $4, rhythm_orders = $5,"
            " rhythm_hours = $6 WHERE shop = $1",
            updates,
        )
        return changed

    async def account(
        self, connection: Connection, shop: str, covered_from: datetime, noticed_before: datetime
    ) -> None:
        """Note which missing numbers the shop has not either; in a transaction."""
        row = await connection.fetchrow(
            "SELECT *, now() AS now FROM feeds WHERE shop = $1 FOR UPDATE", shop
        )
        if row is not None:
            before = await _numbers(connection, row)
            after = before.account(covered_from, noticed_before, row["now"])
            await _write_numbers(connection, shop, before, after)

    async def forget(self, connection: Connection, age: timedelta) -> None:
        """Forget the states of some orders that were last shown longer ago."""
        await connection.execute(
            "DELETE FROM sightings WHERE (shop, order_id) IN (SELECT shop, order_id"
            " FROM sightings WHERE seen_at < now() - $1::interval AND NOT counted"
            " LIMIT $2 FOR UPDATE SKIP LOCKED)",
            age,
            _FORGOTTEN_AT_ONCE,
        )

    async def totals(self, connection: Connection) -> Totals:
        """Return what metrics tell."""
        row = await connection.fetchrow(
            "SELECT (SELECT count(*) FROM feeds WHERE silent_since IS NOT NULL) AS silent,"
            " (SELECT coalesce(sum(last - first + 1), 0)::bigint FROM missing_numbers"
            " LEFT JOIN shops USING (shop) WHERE accounted_at IS NULL"
            " AND coalesce((settings->>'sandbox')::boolean, false) IS FALSE) AS missing,"
            " (SELECT count(*) FROM polls JOIN shops USING (shop)"
            " WHERE failures > 0 AND settings->'api' IS NOT NULL) AS unread,"
            " (SELECT count(*) FROM orders_to_fetch) AS to_fetch"
        )
        assert row is not None, "aggregates have one row"
        return Totals(**row)


async def _locked(
    connection: Connection, heard: Mapping[str, datetime]
) -> Sequence[Mapping[str, Any]]:
    """Return the rows of shops, locked in order; those that are not there begin now.

    Args:
        connection: In a transaction.
        heard: By shop, when it was first heard of if it was not before.
    """
    shops = sorted(heard)
    await connection.execute(
        "INSERT INTO feeds (shop, since, hour, rhythm_orders, rhythm_hours)"
        " SELECT shop, since, date_trunc('hour', now()), $3, $3"
        " FROM unnest($1::text[], $2::timestamptz[]) AS new (shop, since) ORDER BY shop"
        " ON CONFLICT DO NOTHING",
        shops,
        [heard[shop] - _BEFORE for shop in shops],
        [0.0] * HOURS,
    )
    return await connection.fetch(
        "SELECT *, now() AS now FROM feeds WHERE shop = ANY($1) ORDER BY shop FOR UPDATE", shops
    )


def _rhythm(row: Mapping[str, Any]) -> Rhythm:
    orders, hours = tuple(row["rhythm_orders"]), tuple(row["rhythm_hours"])
    return Rhythm(row["hour"], row["hour_orders"], orders, hours)


def _columns(rhythm: Rhythm) -> tuple[Any, ...]:
    return rhythm.hour, rhythm.running, list(rhythm.orders), list(rhythm.hours)


async def _numbers(connection: Connection, row: Mapping[str, Any]) -> Numbers:
    """Return the numbers of a shop whose row is locked."""
    found = await connection.fetch(
        "SELECT first, last, after, noticed_at, accounted_at FROM missing_numbers"
        " WHERE shop = $1 ORDER BY first",
        row["shop"],
    )
    holes = [Range(**one) for one in found]
    return Numbers(
        row["first_number"],
        row["last_number"],
        row["last_placed_at"],
        tuple(hole for hole in holes if hole.accounted_at is None),
        tuple(hole for hole in holes if hole.accounted_at is not None),
    )


async def _write_numbers(
    connection: Connection, shop: str, before: Numbers, after: Numbers
) -> None:
    """Write what has changed."""
    old, new = ({*one.missing, *one.accounted} for one in (before, after))
    await connection.execute(
        "DELETE FROM missing_numbers WHERE shop = $1 AND first = ANY($2)",
        shop,
        [hole.first for hole in old - new],
    )
    await connection.executemany(
        "INSERT INTO missing_numbers (shop, first, last, after, noticed_at, accounted_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (shop, one.first, one.last, one.after, one.noticed_at, one.accounted_at)
            for one in new - old
        ],
    )
    await connection.execute(
        "UPDATE feeds SET first_number = $2, last_number = $3, last_placed_at = $4 WHERE shop = $1",
        shop,
        after.first,
        after.last,
        after.last_placed_at,
    )
