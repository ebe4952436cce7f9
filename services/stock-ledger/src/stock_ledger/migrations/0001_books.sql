-- The books of all shards. Every row belongs to one shard, and only that shard's writer touches it.

-- Balances, by lot ('' where there are none). No index on quantities, and room in each page, so
-- that updates stay in place (HOT). `slot` is the second of the day in which it is looked over.
CREATE TABLE stock (
    sku          text    NOT NULL,
    location     text    NOT NULL,
    lot          text    NOT NULL,
    shard        integer NOT NULL,
    pool         text    NOT NULL,
    slot         integer NOT NULL,
    expires_on   date,
    issued_at    timestamptz NOT NULL,
    free         bigint  NOT NULL CHECK (free >= 0),
    reserved     bigint  NOT NULL CHECK (reserved >= 0),
    held         bigint  NOT NULL CHECK (held >= 0),
    damaged      bigint  NOT NULL CHECK (damaged >= 0),
    quality_hold bigint  NOT NULL CHECK (quality_hold >= 0),
    in_transit   bigint  NOT NULL CHECK (in_transit >= 0),
    backordered  bigint  NOT NULL CHECK (backordered >= 0),
    PRIMARY KEY (sku, location, lot, shard)
) WITH (fillfactor = 75);
CREATE INDEX stock_slot ON stock (shard, slot);
CREATE INDEX stock_expiring ON stock (shard, expires_on) WHERE expires_on IS NOT NULL;

-- Orders at home (offer = ''), lines offered by other pools, cart holds (offer = 'hold') and
-- transfers at their source (offer = 'transfer'): for ever, against duplicates.
-- `placed` is what is asked, as last amended; null where a cancellation came first.
CREATE TABLE claims (
    order_id        text    NOT NULL,
    offer           text    NOT NULL,
    shard           integer NOT NULL,
    state           text    NOT NULL,
    since           timestamptz NOT NULL,
    placed          json,
    traceparent     text,
    return_expected boolean NOT NULL,
    revision        bigint  NOT NULL,
    expires_at      timestamptz,
    PRIMARY KEY (order_id, offer, shard)
) WITH (fillfactor = 85);
CREATE INDEX claims_pending ON claims (shard) WHERE state = 'pending';
CREATE INDEX claims_held ON claims (shard, expires_at) WHERE state = 'held';

-- What has become of each line's units: the pieces of a line add up to its quantity.
CREATE TABLE pieces (
    order_id    text    NOT NULL,
    offer       text    NOT NULL,
    shard       integer NOT NULL,
    number      integer NOT NULL,
    line        text    NOT NULL,
    sku         text    NOT NULL,
    quantity    bigint  NOT NULL CHECK (quantity > 0),
    state       text    NOT NULL CHECK (state <> 'asked'),
    location    text    NOT NULL,
    lot         text    NOT NULL,
    reservation text,
    allocation  text,
    last_offer  text,
    rank        integer NOT NULL,
    since       timestamptz,
    expected    text,
    cut         boolean NOT NULL,
    PRIMARY KEY (order_id, offer, shard, number)
) WITH (fillfactor = 85);
CREATE INDEX pieces_backordered ON pieces (sku, shard) WHERE state = 'backordered';
CREATE INDEX pieces_refused ON pieces (shard) WHERE state = 'refused';
CREATE INDEX pieces_kept ON pieces (sku, location, shard) WHERE state IN ('reserved', 'held');

-- Parcels: for ever, so that what is said of one twice, or too late, is known to be so.
CREATE TABLE allocations (
    order_id   text    NOT NULL,
    allocation text    NOT NULL,
    shard      integer NOT NULL,
    location   text    NOT NULL,
    state      text    NOT NULL,
    route      text,
    PRIMARY KEY (order_id, allocation, shard)
) WITH (fillfactor = 85);
CREATE INDEX allocations_withdrawn ON allocations (shard) WHERE state = 'withdrawn';

-- Double entry, append-only: units that went from one account to another, and why; when it
-- happened, and when it was recorded (by the log's time, which never goes back within a shard).
CREATE TABLE movements (
    id           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard        integer NOT NULL,
    cause        text    NOT NULL,
    sku          text    NOT NULL,
    location     text    NOT NULL,
    lot          text    NOT NULL,
    source       text    NOT NULL,
    target       text    NOT NULL CHECK (target <> source),
    units        bigint  NOT NULL CHECK (units > 0),
    order_id     text,
    offer        text,
    line         text,
    effective_at timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX movements_of_place ON movements (sku, location, effective_at);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'movements are append-only: % refused', TG_OP;
END $$;
CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Receipts, counts, returns and the like that have been booked: for ever, against duplicates.
CREATE TABLE bookings (
    kind  text    NOT NULL,
    id    text    NOT NULL,
    shard integer NOT NULL,
    PRIMARY KEY (id, kind, shard)
);

-- How a sku is kept at a location, and what its counts have shown.
CREATE TABLE shelves (
    sku             text    NOT NULL,
    location        text    NOT NULL,
    shard           integer NOT NULL,
    pool            text    NOT NULL,
    safety_buffer   bigint  NOT NULL,
    channel_buffers jsonb   NOT NULL,
    safety_stock    bigint  NOT NULL,
    overstock_above bigint,
    counted_at      timestamptz,
    counts          integer NOT NULL,
    counts_wrong    integer NOT NULL,
    losses          integer NOT NULL,
    PRIMARY KEY (sku, location, shard)
) WITH (fillfactor = 85);

-- What purchase order lines are expected to bring.
CREATE TABLE expected (
    expected    text    NOT NULL,
    shard       integer NOT NULL,
    sku         text    NOT NULL,
    location    text    NOT NULL,
    pool        text    NOT NULL,
    quantity    bigint  NOT NULL,
    received    bigint  NOT NULL,
    expected_at timestamptz NOT NULL,
    PRIMARY KEY (expected, shard)
);
CREATE INDEX expected_open ON expected (sku, shard) WHERE received < quantity;

-- What transfers have sent to the locations of a shard, by lot.
CREATE TABLE inbound (
    transfer text    NOT NULL,
    line     text    NOT NULL,
    lot      text    NOT NULL,
    shard    integer NOT NULL,
    sku      text    NOT NULL,
    location text    NOT NULL,
    pool     text    NOT NULL,
    shipped  bigint  NOT NULL,
    received bigint  NOT NULL,
    lost     bigint  NOT NULL,
    PRIMARY KEY (transfer, line, lot, shard)
);

-- Units that are told apart: where each is, or (with an allocation) with which parcel it left.
CREATE TABLE serials (
    sku        text    NOT NULL,
    serial     text    NOT NULL,
    shard      integer NOT NULL,
    location   text    NOT NULL,
    allocation text,
    PRIMARY KEY (sku, serial, shard)
);

-- Alerts that stand.
CREATE TABLE alerts (
    sku       text    NOT NULL,
    location  text    NOT NULL,
    lot       text    NOT NULL,
    kind      text    NOT NULL,
    shard     integer NOT NULL,
    pool      text    NOT NULL,
    reason    text    NOT NULL,
    raised_at timestamptz NOT NULL,
    PRIMARY KEY (sku, location, lot, kind, shard)
);

-- What a shard was told that there is; where it was told of none, it takes every name.
CREATE TABLE skus (
    sku   text    NOT NULL,
    shard integer NOT NULL,
    PRIMARY KEY (sku, shard)
);
CREATE TABLE locations (
    location text    NOT NULL,
    shard    integer NOT NULL,
    pool     text    NOT NULL,
    PRIMARY KEY (location, shard)
);

-- Time by each shard's log.
CREATE TABLE clocks (
    shard       integer     PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    until       timestamptz NOT NULL
) WITH (fillfactor = 50);
