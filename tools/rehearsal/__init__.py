"""A coordination service as it is in earnest, on this machine: a PostgreSQL, replicas, identities and simulated clusters."""
