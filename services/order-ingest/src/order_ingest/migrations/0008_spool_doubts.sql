-- From which replica something may still arrive: it drains, or has given something up. While another
-- one stands here, a replica publishes nothing. Each time that it says so the beat changes.
DROP TABLE spool_doubts;
CREATE TABLE spool_doubts (
    replica uuid        PRIMARY KEY,
    beat    timestamptz NOT NULL DEFAULT clock_timestamp(),
    address inet        DEFAULT inet_client_addr()
);
