-- A wave gathers the shipments of one warehouse until its cut-off, and is planned once.
CREATE TABLE waves (
    wave      text        PRIMARY KEY,
    location  text        NOT NULL,
    partition integer     NOT NULL,
    source    text        NOT NULL,
    cut_off   timestamptz NOT NULL,
    version   integer     NOT NULL,
    closed_at timestamptz,
    planned   boolean     NOT NULL,
    UNIQUE (location, cut_off),
    CHECK (NOT planned OR closed_at IS NOT NULL)
);
CREATE INDEX waves_not_planned ON waves (partition, location) WHERE NOT planned;

CREATE TABLE routes (
    route        text        PRIMARY KEY,
    wave         text        NOT NULL REFERENCES waves,
    location     text        NOT NULL,
    partition    integer     NOT NULL,
    source       text        NOT NULL,
    vehicle      text        NOT NULL,
    latitude     float8      NOT NULL,
    longitude    float8      NOT NULL,
    departs_at   timestamptz NOT NULL,
    returns_at   timestamptz NOT NULL,
    metres       bigint      NOT NULL,
    stops        jsonb       NOT NULL,
    plan_version integer     NOT NULL,
    state        text        NOT NULL CHECK (state IN ('planned', 'departed', 'cancelled')),
    UNIQUE (wave, vehicle)
);
CREATE INDEX routes_to_leave ON routes (partition, departs_at) WHERE state = 'planned';
CREATE INDEX routes_of_location ON routes (location, departs_at);

-- Each shipment waits in one wave, or is on one route, or has come to its end.
CREATE TABLE shipments (
    allocation   text        PRIMARY KEY,
    "order"      text        NOT NULL,
    location     text        NOT NULL,
    shard        integer     NOT NULL,
    latitude     float8      NOT NULL,
    longitude    float8      NOT NULL,
    earliest     timestamptz,
    latest       timestamptz,
    units        jsonb       NOT NULL,
    allocated_at timestamptz NOT NULL,
    traceparent  text,
    status       text        NOT NULL
        CHECK (status IN ('waiting', 'planned', 'departed', 'delivered', 'withdrawn')),
    wave         text        NOT NULL REFERENCES waves,
    route        text        REFERENCES routes,
    missed       integer     NOT NULL,
    reason       text,
    delivered_at timestamptz,
    CHECK ((route IS NOT NULL) = (status IN ('planned', 'departed', 'delivered')))
) WITH (fillfactor = 80);
CREATE INDEX shipments_waiting ON shipments (wave) WHERE status = 'waiting';
CREATE INDEX shipments_on_route ON shipments (route) WHERE route IS NOT NULL;
