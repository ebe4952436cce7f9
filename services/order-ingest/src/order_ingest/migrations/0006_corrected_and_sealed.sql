-- Of which revision of its order a recipient is: a correction takes the place of older ones.
ALTER TABLE recipients ADD COLUMN revision bigint NOT NULL DEFAULT 0;

-- What waits may tell who gets an order, and answers repeat what was sent: both are sealed under the
-- master keys. Answers from before are forgotten; what they answered counts once all the same.
ALTER TABLE waiting ALTER COLUMN body TYPE bytea USING convert_to(body, 'UTF8');
DELETE FROM answers;

-- What is sealed tells by itself under which master key.
ALTER TABLE customers DROP COLUMN master;
