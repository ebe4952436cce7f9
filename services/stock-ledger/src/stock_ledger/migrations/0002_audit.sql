-- What the auditor has read of the journal: the sums of each place's accounts up to a movement,
-- kept apart from the balances that they are compared with.
CREATE TABLE audits (
    shard       integer PRIMARY KEY,
    movement_id bigint      NOT NULL,
    audited_at  timestamptz NOT NULL
);
CREATE TABLE audited (
    sku      text    NOT NULL,
    location text    NOT NULL,
    lot      text    NOT NULL,
    shard    integer NOT NULL,
    account  text    NOT NULL,
    units    bigint  NOT NULL,
    PRIMARY KEY (sku, location, lot, account, shard)
) WITH (fillfactor = 75);
CREATE TABLE audited_accounts (
    shard   integer NOT NULL,
    account text    NOT NULL,
    units   bigint  NOT NULL,
    PRIMARY KEY (shard, account)
);

-- Where the books do not agree with themselves; a place leaves when it agrees again.
CREATE TABLE drifts (
    sku      text    NOT NULL,
    location text    NOT NULL,
    lot      text    NOT NULL,
    shard    integer NOT NULL,
    invariant text   NOT NULL,
    expected bigint  NOT NULL,
    found    bigint  NOT NULL,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (sku, location, lot, shard, invariant)
);
