"""The longer look-ups, in SQL."""

_ACCOUNTS = ("free", "reserved", "held", "damaged", "quality_hold", "in_transit", "backordered")
_ON_HAND = "free + reserved + held + damaged + quality_hold"

LEVELS = f"""
    WITH places AS (
        SELECT sku, location, pool, shard, sum({_ON_HAND})::bigint AS on_hand,
            {", ".join(f"sum({one})::bigint AS {one}" for one in _ACCOUNTS)},
            sum(free) FILTER (WHERE expires_on IS NULL OR expires_on >= coalesce(
                (SELECT until FROM clocks WHERE clocks.shard = stock.shard)::date, '-infinity')
            )::bigint AS unexpired
        FROM stock WHERE sku = ANY($1) GROUP BY sku, location, pool, shard
    )
    SELECT places.sku, places.location, places.pool, places.shard, on_hand, reserved, held,
        damaged, quality_hold, in_transit, backordered,
        coalesce(shelves.safety_buffer, 0) AS safety_buffer,
        greatest(0, coalesce(unexpired, 0) - coalesce(shelves.safety_buffer, 0)
            - coalesce((shelves.channel_buffers ->> $2)::bigint, 0)) AS available
    FROM places LEFT JOIN shelves USING (sku, location, shard)
    ORDER BY places.sku, places.location, places.shard
"""  # noqa: S608 - constants
"""$1 skus, $2 channel."""

LOTS = f"""
    SELECT location, lot, pool, shard, expires_on, issued_at, {_ON_HAND} AS on_hand,
        {", ".join(_ACCOUNTS)}
    FROM stock WHERE sku = $1 ORDER BY location, expires_on NULLS LAST, lot, shard
"""  # noqa: S608 - constants
"""$1 sku."""

MOVEMENTS = """
    SELECT id, shard, cause, sku, location, nullif(lot, '') AS lot, source, target, units,
        order_id AS order, line, effective_at, recorded_at
    FROM movements WHERE sku = $1 AND ($2::text IS NULL OR location = $2) AND id > $3
    ORDER BY id LIMIT $4
"""
"""$1 sku, $2 location or null, $3 the last id seen, $4 how many."""

AS_OF = f"""
    WITH entries AS (
        SELECT location, lot, shard, account, sum(units)::bigint AS units FROM (
            SELECT location, lot, shard, target AS account, units FROM movements WHERE sku = $1
                AND ($2::timestamptz IS NULL OR effective_at <= $2)
                AND ($3::timestamptz IS NULL OR recorded_at <= $3)
            UNION ALL
            SELECT location, lot, shard, source, -units FROM movements WHERE sku = $1
                AND ($2::timestamptz IS NULL OR effective_at <= $2)
                AND ($3::timestamptz IS NULL OR recorded_at <= $3)
        ) AS sides GROUP BY location, lot, shard, account
    ), balances AS (
        SELECT location, lot, shard,
            {
    ", ".join(
        f"coalesce(sum(units) FILTER (WHERE account = '{one}'), 0)::bigint AS {one}"
        for one in _ACCOUNTS
    )
}
        FROM entries GROUP BY location, lot, shard
    )
    SELECT location, nullif(lot, '') AS lot, shard, {_ON_HAND} AS on_hand, {", ".join(_ACCOUNTS)}
    FROM balances ORDER BY location, lot, shard
"""  # noqa: S608 - constants
"""$1 sku, $2 effective_at or null, $3 recorded_at or null."""

ALERTS = """
    SELECT sku, location, nullif(lot, '') AS lot, pool, shard, kind, reason, raised_at FROM alerts
    WHERE ($1::text IS NULL OR sku = $1) AND ($2::text IS NULL OR kind = $2)
    ORDER BY raised_at DESC, sku, location, lot, kind LIMIT $3
"""
"""$1 sku or null, $2 kind or null, $3 how many."""

COUNTABLE = f"""
    SELECT stock.sku, sum({_ON_HAND})::bigint AS on_hand, max(shelves.counted_at) AS counted_at,
        coalesce(max(shelves.counts), 0) AS counts,
        coalesce(max(shelves.counts_wrong), 0) AS counts_wrong
    FROM stock LEFT JOIN shelves USING (sku, location, shard)
    WHERE location = $1 GROUP BY stock.sku
"""  # noqa: S608 - constants
"""$1 location."""

_BALANCES_BY_MOVEMENTS = f"""
    WITH entries AS (
        SELECT sku, location, lot, shard, target AS account, units FROM movements
        UNION ALL
        SELECT sku, location, lot, shard, source AS account, -units FROM movements
    )
    SELECT sku, location, lot, shard,
        {
    ", ".join(
        f"coalesce(sum(units) FILTER (WHERE account = '{one}'), 0) AS {one}" for one in _ACCOUNTS
    )
}
    FROM entries
    WHERE account IN ({", ".join(f"'{one}'" for one in _ACCOUNTS)})
    GROUP BY sku, location, lot, shard
"""  # noqa: S608 - constants


def _each(form: str) -> str:
    return ", ".join(form.format(one=one) for one in _ACCOUNTS)


def _short(table: str) -> str:
    return " + ".join(f"greatest(0, -{table}.{one})" for one in _ACCOUNTS)


OVERSOLD = f"""
    WITH booked AS ({_BALANCES_BY_MOVEMENTS})
    SELECT
        coalesce(sum({_short("stock")}), 0)::bigint AS by_balances,
        coalesce(sum({_short("booked")}), 0)::bigint AS by_movements,
        count(*) FILTER (WHERE ({_each("coalesce(stock.{one}, 0)")})
            IS DISTINCT FROM ({_each("coalesce(booked.{one}, 0)")})) AS balances_differing
    FROM stock FULL JOIN booked USING (sku, location, lot, shard)
"""  # noqa: S608 - constants

LINES = """
    SELECT
        count(DISTINCT (order_id, line)) FILTER (WHERE source = 'ordered' AND offer = '')
            AS order_lines,
        count(DISTINCT (order_id, line)) FILTER (WHERE target = 'reserved') AS lines_reserved,
        count(DISTINCT (order_id, line)) FILTER (WHERE target = 'backordered')
            AS lines_backordered,
        count(DISTINCT (order_id, line)) FILTER (WHERE target = 'reserved' AND offer <> '')
            AS lines_served_by_another_pool
    FROM movements WHERE order_id IS NOT NULL AND offer NOT IN ('hold', 'transfer')
"""

APPLIED_TWICE = """
    SELECT count(DISTINCT order_id) FROM (
        SELECT order_id FROM movements JOIN claims USING (order_id, offer, shard)
        WHERE source = 'ordered' AND offer = '' AND revision = 0
        GROUP BY order_id, line, sku HAVING count(*) > 1
    ) AS twice
"""
"""What was never amended is asked for once."""
