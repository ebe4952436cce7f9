-- Of on_hand what cannot be sold (damaged, quality_hold), and what is on its way from other locations.
ALTER TABLE positions
    ADD COLUMN unsellable bigint NOT NULL DEFAULT 0 CHECK (unsellable >= 0),
    ADD COLUMN in_transit bigint NOT NULL DEFAULT 0 CHECK (in_transit >= 0);
