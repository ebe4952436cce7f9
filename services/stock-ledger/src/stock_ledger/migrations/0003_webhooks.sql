-- Who is told of changes of levels by HTTP. A row belongs to no shard: readers write it.
-- `secrets` holds the keys as they are: to sign with them is what they are for.
CREATE TABLE webhooks (
    webhook         text        PRIMARY KEY,
    url             text        NOT NULL,
    skus            text[],
    locations       text[],
    pools           text[],
    secrets         jsonb       NOT NULL,
    since           jsonb       NOT NULL,
    state           text        NOT NULL DEFAULT 'active'
                                CHECK (state IN ('active', 'gone', 'failing')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    failures        integer     NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    paused_until    timestamptz,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_error      text
) WITH (fillfactor = 50);

-- What waits for each: the latest level of a place, so there are never more than places.
CREATE TABLE webhook_messages (
    webhook         text        NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    sku             text        NOT NULL,
    location        text        NOT NULL,
    message         text        NOT NULL,
    body            bytea       NOT NULL,
    failures        integer     NOT NULL DEFAULT 0,
    failing_since   timestamptz,
    due_at          timestamptz NOT NULL DEFAULT now(),
    lease           uuid,
    leased_until    timestamptz,
    PRIMARY KEY (webhook, sku, location)
) WITH (fillfactor = 50);
CREATE INDEX webhook_messages_due ON webhook_messages (webhook, due_at);

-- The live feed shows all levels page by page, in the order of code points.
CREATE INDEX stock_by_code_point ON stock (sku COLLATE "C");
