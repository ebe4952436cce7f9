-- Each order as it was first taken: cancellations carry no address, and a repeat is answered from here.
CREATE TABLE orders (
    order_id    text        PRIMARY KEY,
    pool        text        NOT NULL,
    shard       smallint    NOT NULL,
    digest      bytea       NOT NULL,
    event       json        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
