-- What was last heard of each shop, how often it usually speaks, and how far its numbers have come.
CREATE TABLE feeds (
    shop           text        PRIMARY KEY,
    since          timestamptz NOT NULL,
    channel        text,
    kind           text,
    told_at        timestamptz,
    received_at    timestamptz,
    found          bigint      NOT NULL DEFAULT 0,
    hour           timestamptz NOT NULL,
    hour_orders    integer     NOT NULL DEFAULT 0,
    rhythm_orders  float8[]    NOT NULL,
    rhythm_hours   float8[]    NOT NULL,
    silent_since   timestamptz,
    first_number   bigint,
    last_number    bigint,
    last_placed_at timestamptz
);

-- In which state an order was last shown, for some days; `counted`: its number is still to be
-- looked at.
CREATE TABLE sightings (
    shop       text        NOT NULL,
    order_id   text        NOT NULL,
    number     bigint,
    placed_at  timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    state      bigint      NOT NULL,
    counted    boolean     NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop, order_id)
);
CREATE INDEX sightings_to_count ON sightings (shop) WHERE counted;
CREATE INDEX sightings_seen_at ON sightings (seen_at);

-- Ranges of numbers that no order was seen with; accounted for where the shop has none, either.
CREATE TABLE missing_numbers (
    shop         text        NOT NULL,
    first        bigint      NOT NULL,
    last         bigint      NOT NULL,
    after        timestamptz NOT NULL,
    noticed_at   timestamptz NOT NULL,
    accounted_at timestamptz,
    PRIMARY KEY (shop, first)
);

-- How far each shop's own API has been read, and by whom it is being read now.
CREATE TABLE polls (
    shop          text        PRIMARY KEY,
    covered_from  timestamptz,
    read_until    timestamptz,
    polled_at     timestamptz,
    due_at        timestamptz NOT NULL DEFAULT now(),
    lease         uuid,
    leased_until  timestamptz,
    failures      integer     NOT NULL DEFAULT 0,
    failing_since timestamptz,
    error         text
);
