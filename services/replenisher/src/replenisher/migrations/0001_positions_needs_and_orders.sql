-- One row a sku and location: its level as the ledger last gave it, its forecast, and its need.
CREATE TABLE positions (
    sku             text        NOT NULL,
    location        text        NOT NULL,
    on_hand         bigint      NOT NULL DEFAULT 0,
    reserved        bigint      NOT NULL DEFAULT 0,
    backordered     bigint      NOT NULL DEFAULT 0,
    on_order        bigint      NOT NULL DEFAULT 0,
    lines_placed    bigint      NOT NULL DEFAULT 0,
    horizons        jsonb       NOT NULL DEFAULT '{"days": [], "mean": [], "size": []}',
    learned_until   timestamptz,
    need            text,
    need_state      text,
    need_opened_at  timestamptz,
    need_reason     text,
    PRIMARY KEY (sku, location),
    CHECK (on_hand >= 0 AND reserved >= 0 AND backordered >= 0 AND on_order >= 0),
    CHECK ((need IS NULL) = (need_state IS NULL) AND (need IS NULL) = (need_opened_at IS NULL)),
    CHECK ((need_state = 'deferred') = (need_reason IS NOT NULL))
) WITH (fillfactor = 75);

CREATE INDEX positions_in_need ON positions (need_state, sku, location) WHERE need IS NOT NULL;

-- Reviews that were made: a date is reviewed once and never recomputed.
CREATE TABLE reviews (
    review_date     date        PRIMARY KEY,
    cut_at          timestamptz NOT NULL,
    purchase_orders integer     NOT NULL,
    order_lines     integer     NOT NULL,
    deferred        integer     NOT NULL
);

CREATE TABLE purchase_orders (
    purchase_order   text        PRIMARY KEY,
    supplier         text        NOT NULL,
    location         text        NOT NULL,
    placed_at        timestamptz NOT NULL,
    review_date      date        NOT NULL REFERENCES reviews,
    open_lines       integer     NOT NULL CHECK (open_lines >= 0),
    last_received_at timestamptz,
    closed_at        timestamptz,
    CHECK ((open_lines = 0) = (closed_at IS NOT NULL))
);

CREATE INDEX purchase_orders_open ON purchase_orders (placed_at, purchase_order)
    WHERE closed_at IS NULL;

-- A line covers exactly one need, and a need is covered by at most one line.
CREATE TABLE order_lines (
    order_line     text    PRIMARY KEY,
    purchase_order text    NOT NULL REFERENCES purchase_orders,
    need           text    NOT NULL UNIQUE,
    sku            text    NOT NULL,
    location       text    NOT NULL,
    quantity       bigint  NOT NULL CHECK (quantity > 0),
    received       bigint  NOT NULL DEFAULT 0 CHECK (received >= 0),
    reason         jsonb   NOT NULL
) WITH (fillfactor = 75);

CREATE INDEX order_lines_of_order ON order_lines (purchase_order);

-- What has been counted: a receipt's part of an order line counts once, for ever.
CREATE TABLE receipts (
    receipt        text NOT NULL,
    order_line     text NOT NULL REFERENCES order_lines,
    purchase_order text NOT NULL,
    PRIMARY KEY (receipt, order_line)
);

-- Lead times as they were observed, in whole minutes: sums that no order of arrival changes.
CREATE TABLE lead_times (
    supplier              text   PRIMARY KEY,
    observations          bigint NOT NULL,
    total_minutes         bigint NOT NULL,
    total_minutes_squared bigint NOT NULL
);
