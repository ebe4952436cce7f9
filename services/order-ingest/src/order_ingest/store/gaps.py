"""What is missing of each shop, read from PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from order_ingest.domain.gaps import Range
from order_ingest.handlers import Gap, LastEvent, PollState
from restock_common.postgres import Connection


class PostgresGaps:
    """Reads the tables of shops and of what was heard of them."""

    async def of(self, connection: Connection, shop: str | None) -> list[Gap]:
        """Return what is missing of one shop, or of all by name; an unknown one is left out."""
        rows = await connection.fetch(
            "SELECT shop, settings->>'channel' AS of_settings, settings->'api' IS NOT NULL AS read,"
            " feeds.channel, kind, told_at, received_at, silent_since, first_number, last_number,"
            " coalesce(found, 0) AS found, polled_at, read_until, due_at,"
            " coalesce(failures, 0) AS failures, failing_since, error,"
            " coalesce(to_fetch, 0) AS to_fetch"
            " FROM shops FULL JOIN feeds USING (shop) LEFT JOIN polls USING (shop)"
            " LEFT JOIN (SELECT shop, count(*) AS to_fetch FROM orders_to_fetch GROUP BY shop)"
            " AS asked USING (shop)"
            " WHERE $1::text IS NULL OR shop = $1 ORDER BY shop",
            shop,
        )
        holes: dict[str, list[Range]] = {}
        for row in await connection.fetch(
            "SELECT * FROM missing_numbers WHERE $1::text IS NULL OR shop = $1 ORDER BY first", shop
        ):
            told = dict(row)
            holes.setdefault(told.pop("shop"), []).append(Range(**told))
        return [_gap(row, holes.get(row["shop"], [])) for row in rows]


def _gap(row: Mapping[str, Any], holes: list[Range]) -> Gap:
    last = None
    if row["received_at"] is not None:
        last = LastEvent(row["channel"], row["kind"], row["told_at"], row["received_at"])
    poll = None
    if row["read"] and row["due_at"] is not None:
        poll = PollState(
            polled_at=row["polled_at"],
            read_until=row["read_until"],
            due_at=row["due_at"],
            failures=row["failures"],
            failing_since=row["failing_since"],
            error=row["error"],
        )
    return Gap(
        shop=row["shop"],
        channel=row["of_settings"],
        last=last,
        silent_since=row["silent_since"],
        first_number=row["first_number"],
        last_number=row["last_number"],
        missing=tuple(hole for hole in holes if hole.accounted_at is None),
        not_in_shop=tuple(hole for hole in holes if hole.accounted_at is not None),
        found=row["found"],
        to_fetch=row["to_fetch"],
        poll=poll,
    )
