-- A plan is what one warehouse's vehicles do on one day; whatever changes it raises its version.
CREATE TABLE plans (
    plan      text        PRIMARY KEY,
    location  text        NOT NULL,
    partition integer     NOT NULL,
    day       timestamptz NOT NULL,
    version   integer     NOT NULL CHECK (version >= 1),
    UNIQUE (location, day)
);

-- A wave is closed by its cut-off, its size, or what happened to a vehicle: several have one cut-off.
ALTER TABLE waves
    DROP CONSTRAINT waves_location_cut_off_key,
    ADD COLUMN kind   text        NOT NULL DEFAULT 'regular'
        CHECK (kind IN ('regular', 'urgent', 'repair')),
    ADD COLUMN number integer     NOT NULL DEFAULT 0,
    ADD COLUMN size   integer     NOT NULL DEFAULT 0 CHECK (size >= 0),
    ADD COLUMN day    timestamptz;
UPDATE waves SET
    size = (SELECT count(*) FROM shipments
            WHERE shipments.wave = waves.wave AND shipments.status = 'waiting'),
    day = date_trunc('day', cut_off + interval '1 day' - interval '1 microsecond', 'UTC');
ALTER TABLE waves ALTER COLUMN day SET NOT NULL;
CREATE UNIQUE INDEX waves_of_location ON waves (location, cut_off, kind, number)
    WHERE kind <> 'repair';

INSERT INTO plans (plan, location, partition, day, version)
    SELECT min(waves.wave), waves.location, min(waves.partition), waves.day, max(plan_version)
    FROM waves JOIN routes USING (wave) GROUP BY waves.location, waves.day;
ALTER TABLE routes
    DROP CONSTRAINT routes_wave_vehicle_key,
    ADD COLUMN plan   text REFERENCES plans,
    ADD COLUMN trip   integer NOT NULL DEFAULT 0,
    ADD COLUMN late_s integer NOT NULL DEFAULT 0;
UPDATE routes SET plan = plans.plan FROM waves JOIN plans USING (location, day)
    WHERE waves.wave = routes.wave;
ALTER TABLE routes ALTER COLUMN plan SET NOT NULL;
CREATE INDEX routes_of_plan ON routes (plan);

-- What could not be delivered waits again, or is brought back for good.
ALTER TABLE shipments
    ADD COLUMN attempts  integer NOT NULL DEFAULT 0,
    ADD COLUMN failed_at timestamptz,
    DROP CONSTRAINT shipments_status_check,
    DROP CONSTRAINT shipments_check,
    ADD CONSTRAINT shipments_status_check CHECK (status IN
        ('waiting', 'planned', 'departed', 'delivered', 'withdrawn', 'returned')),
    ADD CONSTRAINT shipments_check CHECK
        ((route IS NOT NULL) = (status IN ('planned', 'departed', 'delivered', 'returned')));

-- When a vehicle cannot drive, told ahead or from the road.
CREATE TABLE absences (
    vehicle  text        PRIMARY KEY,
    location text        NOT NULL,
    since    timestamptz NOT NULL,
    until    timestamptz,
    reason   text        NOT NULL
);
CREATE INDEX absences_of_location ON absences (location);
