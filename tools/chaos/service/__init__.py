"""The coordination service under faults: replicas die and the database goes away while clusters report and watchers watch."""
