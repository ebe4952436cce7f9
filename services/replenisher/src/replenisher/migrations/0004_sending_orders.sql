-- How a supplier gets its orders.
CREATE TABLE supplier_contacts (
    supplier text PRIMARY KEY,
    channel  text NOT NULL CHECK (channel IN ('webhook', 'mail')),
    target   text NOT NULL,
    secret   text,
    CHECK ((channel = 'webhook') = (secret IS NOT NULL))
);

-- Orders that are placed and not sent yet: written with the order, forgotten once it has arrived.
CREATE TABLE order_sendings (
    purchase_order text        PRIMARY KEY,
    attempts       integer     NOT NULL DEFAULT 0,
    due_at         timestamptz NOT NULL DEFAULT now(),
    sent_at        timestamptz,
    failure        text
);

CREATE INDEX order_sendings_due ON order_sendings (due_at) WHERE sent_at IS NULL;
