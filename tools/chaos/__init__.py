"""Proves that nothing is lost, repeated or torn while replicas die and the database goes away: `python -m tools.chaos --help`."""
