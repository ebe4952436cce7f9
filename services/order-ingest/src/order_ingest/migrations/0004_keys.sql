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
