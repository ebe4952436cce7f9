"""The platform that services run on locally: a broker and PostgreSQL, from three sources."""
