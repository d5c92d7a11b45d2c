"""Proves that nothing is lost, repeated or torn while parts of Vigie die or freeze: `python -m tools.chaos --help`."""
