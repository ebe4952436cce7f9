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
