-- When an order was last called off: the same cancellation told again, after an exchange, is not
-- about what is sent instead.
ALTER TABLE claims ADD COLUMN cancelled_at timestamptz;
