-- Reviews are made for each supplier; '' stands for all of them, as they were made until now.
ALTER TABLE purchase_orders DROP CONSTRAINT purchase_orders_review_date_fkey;
ALTER TABLE reviews
    ADD COLUMN supplier text NOT NULL DEFAULT '',
    ADD COLUMN value double precision,
    ADD COLUMN bound double precision,
    DROP CONSTRAINT reviews_pkey,
    ADD PRIMARY KEY (supplier, review_date);

-- Where a level and a forecast came from, and how often a need was opened.
ALTER TABLE positions
    ADD COLUMN level_event text,
    ADD COLUMN forecast_event text,
    ADD COLUMN need_revision integer NOT NULL DEFAULT 1 CHECK (need_revision > 0);

ALTER TABLE purchase_orders
    ADD COLUMN state       text             NOT NULL DEFAULT 'placed',
    ADD COLUMN value       double precision NOT NULL DEFAULT 0 CHECK (value >= 0),
    ADD COLUMN expected_at timestamptz,
    ADD COLUMN late_at     timestamptz,
    ADD COLUMN revision    integer          NOT NULL DEFAULT 1 CHECK (revision > 0),
    ADD COLUMN lead_days   double precision NOT NULL DEFAULT 0;
UPDATE purchase_orders SET state = 'received' WHERE closed_at IS NOT NULL;

CREATE INDEX purchase_orders_of_supplier ON purchase_orders (supplier, placed_at);
CREATE INDEX purchase_orders_expected ON purchase_orders (expected_at)
    WHERE closed_at IS NULL AND late_at IS NULL;

-- A line covers one revision of a need; what was cancelled of it will not come.
ALTER TABLE order_lines
    ADD COLUMN cancelled     bigint  NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
    ADD COLUMN need_revision integer NOT NULL DEFAULT 1 CHECK (need_revision > 0),
    DROP CONSTRAINT order_lines_need_key,
    ADD CONSTRAINT order_lines_cover_one_need UNIQUE (need, need_revision);

-- What people and suppliers told of orders, in the order in which it is done; done once.
CREATE TABLE order_commands (
    number   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command  text        NOT NULL UNIQUE,
    body     jsonb       NOT NULL,
    done     boolean     NOT NULL DEFAULT false,
    refusal  text
);

CREATE INDEX order_commands_waiting ON order_commands (number) WHERE NOT done;

CREATE TABLE risks (
    risk        text             PRIMARY KEY,
    kind        text             NOT NULL,
    supplier    text             NOT NULL,
    sku         text,
    location    text,
    probability double precision NOT NULL,
    impact      double precision NOT NULL,
    risk_class  text             NOT NULL,
    response    text             NOT NULL,
    reason      text             NOT NULL,
    raised_at   timestamptz      NOT NULL
);

CREATE INDEX risks_of_supplier ON risks (supplier);
