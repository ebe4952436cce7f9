-- Where the service stands in each partition that it reads, and its own journal for it.
CREATE TABLE cursors (
    topic              text        NOT NULL,
    partition          integer     NOT NULL,
    epoch              bigint      NOT NULL DEFAULT 0,
    next_offset        bigint      NOT NULL DEFAULT 0,
    log_identity       text,
    incarnation        bigint      NOT NULL DEFAULT 1,
    next_sequence      bigint      NOT NULL DEFAULT 1,
    published_sequence bigint      NOT NULL DEFAULT 0,
    head               bytea       NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    seen               jsonb       NOT NULL DEFAULT '{}',
    watermarks         jsonb       NOT NULL DEFAULT '{}',
    PRIMARY KEY (topic, partition),
    CHECK (published_sequence < next_sequence)
) WITH (fillfactor = 50);

-- The journal is the outbox: published from here, in order, as often as need be. What is not
-- kept (time that is passed on) is no part of the chain and goes once it has been published.
CREATE TABLE journal (
    source_topic     text    NOT NULL,
    source_partition integer NOT NULL,
    sequence         bigint  NOT NULL,
    topic            text    NOT NULL,
    partition        integer NOT NULL,
    key              bytea,
    id               text    NOT NULL,
    type             text    NOT NULL,
    time             text    NOT NULL, -- by RFC 3339, as it was said
    cause            text,
    traceparent      text,
    incarnation      bigint  NOT NULL,
    body             bytea   NOT NULL,
    kept             boolean NOT NULL,
    PRIMARY KEY (source_topic, source_partition, sequence)
);
CREATE INDEX journal_passing ON journal (source_topic, source_partition, sequence) WHERE NOT kept;

-- The hash chain over the kept entries, as far as each batch that has any brought it:
-- the last of them, how many there are, and where the log stood after the batch.
CREATE TABLE batches (
    source_topic     text    NOT NULL,
    source_partition integer NOT NULL,
    last_sequence    bigint  NOT NULL,
    entries          integer NOT NULL CHECK (entries > 0),
    next_offset      bigint  NOT NULL,
    head             bytea   NOT NULL,
    PRIMARY KEY (source_topic, source_partition, last_sequence)
);
