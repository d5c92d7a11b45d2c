"""The coordination service: one record of venues, authorisations, signals, events and decisions."""
