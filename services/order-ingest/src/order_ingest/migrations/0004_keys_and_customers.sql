-- API keys by their id, which is no secret; of the secret there is only a digest.
-- A key that has ended stays, so that its last use can be looked up.
CREATE TABLE api_keys (
    key_id       text        PRIMARY KEY,
    shop         text        NOT NULL,
    name         text        NOT NULL,
    actions      text[]      NOT NULL,
    digest       bytea       NOT NULL,
    created_at   timestamptz NOT NULL,
    ends_at      timestamptz,
    replaces     text        REFERENCES api_keys,
    last_used_at timestamptz
);
CREATE INDEX api_keys_of_shop ON api_keys (shop);

-- Each customer's own key, encrypted with the master key of that name. Deleting the row destroys it.
CREATE TABLE customers (
    shop       text        NOT NULL,
    token      text        NOT NULL,
    key_id     uuid        NOT NULL,
    wrapped    bytea       NOT NULL,
    master     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, token)
);
CREATE INDEX customers_by_master ON customers (master);

-- Who gets an order, encrypted with the customer's key. The row stays when the customer is erased,
-- without content, so that a late repeat of the order does not bring the person back.
CREATE TABLE recipients (
    order_id    text        PRIMARY KEY,
    shop        text        NOT NULL,
    token       text        NOT NULL,
    key_id      uuid        NOT NULL,
    sealed      bytea,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recipients_of_customer ON recipients (shop, token, recorded_at);
