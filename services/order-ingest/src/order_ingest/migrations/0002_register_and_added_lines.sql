-- Carts and transfers as they were first taken: what ends them, or follows, carries only their id.
-- Expected receipts too: they stay at their location.
CREATE TABLE register (
    kind        text        NOT NULL,
    id          text        NOT NULL,
    digest      bytea       NOT NULL,
    event       json        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, id)
);

-- Lines that orders gained after they were placed, as they were first told: a kit stays what it was.
CREATE TABLE added_lines (
    order_id text NOT NULL REFERENCES orders,
    line     text NOT NULL,
    told     json NOT NULL,
    PRIMARY KEY (order_id, line)
);
