-- Records that were accepted while Kafka was away, in the order in which it gets them.
CREATE TABLE spool (
    sequence   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      text        NOT NULL,
    partition  integer     NOT NULL,
    key        bytea,
    headers    text        NOT NULL,
    body       bytea       NOT NULL,
    spooled_at timestamptz NOT NULL DEFAULT now()
);

-- Where a replica has given something up that may still arrive: only it may drain there, as long
-- as it says again and again that this is so.
CREATE TABLE spool_doubts (
    replica   uuid        NOT NULL,
    topic     text        NOT NULL,
    partition integer     NOT NULL,
    seen_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (replica, topic, partition)
);

-- Commands that came before the order or cart that they are about.
CREATE TABLE waiting (
    sequence bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    about    text        NOT NULL CHECK (about IN ('order', 'hold')),
    subject  text        NOT NULL,
    event    text        NOT NULL,
    shop     text        NOT NULL,
    command  text        NOT NULL,
    body     text        NOT NULL,
    reason   text        NOT NULL,
    came_at  timestamptz NOT NULL,
    kept_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (about, subject, event)
);

-- What was answered under an idempotency key; without a status, it is being worked on.
CREATE TABLE answers (
    shop       text        NOT NULL,
    key        text        NOT NULL,
    digest     bytea       NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    status     smallint,
    media_type text,
    body       bytea,
    PRIMARY KEY (shop, key)
);
CREATE INDEX answers_claimed_at ON answers (claimed_at);
