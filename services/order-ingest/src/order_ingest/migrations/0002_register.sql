-- Carts and transfers as they were first taken: what ends them, or follows, carries only their id.
CREATE TABLE register (
    kind        text        NOT NULL,
    id          text        NOT NULL,
    digest      bytea       NOT NULL,
    event       json        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, id)
);
