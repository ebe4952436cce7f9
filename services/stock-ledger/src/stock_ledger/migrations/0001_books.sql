-- The books of all shards. Every row belongs to one shard, and only that shard's writer touches it.

-- Balances. No index on quantities, and room in each page, so that updates stay in place (HOT).
CREATE TABLE stock (
    sku         text    NOT NULL,
    location    text    NOT NULL,
    shard       integer NOT NULL,
    pool        text    NOT NULL,
    on_hand     bigint  NOT NULL,
    reserved    bigint  NOT NULL,
    backordered bigint  NOT NULL,
    PRIMARY KEY (sku, location, shard),
    CHECK (on_hand >= 0),
    CHECK (reserved >= 0 AND reserved <= on_hand),
    CHECK (backordered >= 0)
) WITH (fillfactor = 75);

-- Orders at home (offer = '') and lines offered by other pools: for ever, against duplicates.
-- `placed` is what was asked, as it was read; null where a cancellation came first.
CREATE TABLE claims (
    order_id        text    NOT NULL,
    offer           text    NOT NULL,
    shard           integer NOT NULL,
    state           text    NOT NULL,
    since           timestamptz NOT NULL,
    placed          json,
    traceparent     text,
    return_expected boolean NOT NULL,
    PRIMARY KEY (order_id, offer, shard)
) WITH (fillfactor = 85);
CREATE INDEX claims_pending ON claims (shard) WHERE state = 'pending';

-- What has become of each line's units: the pieces of a line add up to its quantity.
CREATE TABLE pieces (
    order_id   text    NOT NULL,
    offer      text    NOT NULL,
    shard      integer NOT NULL,
    number     integer NOT NULL,
    line       text    NOT NULL,
    sku        text    NOT NULL,
    quantity   bigint  NOT NULL CHECK (quantity > 0),
    state      text    NOT NULL CHECK (state <> 'asked'),
    location   text    NOT NULL,
    allocation text,
    last_offer text,
    rank       integer NOT NULL,
    since      timestamptz,
    PRIMARY KEY (order_id, offer, shard, number)
) WITH (fillfactor = 85);
CREATE INDEX pieces_backordered ON pieces (sku, shard) WHERE state = 'backordered';
CREATE INDEX pieces_refused ON pieces (shard) WHERE state = 'refused';
CREATE INDEX pieces_reserved ON pieces (sku, location, shard) WHERE state = 'reserved';

-- Parcels: for ever, so that what is said of one twice, or too late, is known to be so.
CREATE TABLE allocations (
    order_id   text    NOT NULL,
    allocation text    NOT NULL,
    shard      integer NOT NULL,
    location   text    NOT NULL,
    state      text    NOT NULL,
    PRIMARY KEY (order_id, allocation, shard)
) WITH (fillfactor = 85);
CREATE INDEX allocations_withdrawn ON allocations (shard) WHERE state = 'withdrawn';

-- Double entry, append-only: units that went from one account to another, and why.
CREATE TABLE movements (
    id       bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard    integer NOT NULL,
    cause    text    NOT NULL,
    sku      text    NOT NULL,
    location text    NOT NULL,
    source   text    NOT NULL,
    target   text    NOT NULL CHECK (target <> source),
    units    bigint  NOT NULL CHECK (units > 0),
    order_id text,
    offer    text,
    line     text
);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'movements are append-only: % refused', TG_OP;
END $$;
CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Receipts and counts that have been booked: for ever, against duplicates.
CREATE TABLE receipts (
    receipt text    NOT NULL,
    shard   integer NOT NULL,
    PRIMARY KEY (receipt, shard)
);
CREATE TABLE counts (
    count text    NOT NULL,
    shard integer NOT NULL,
    PRIMARY KEY (count, shard)
);
