"""Vigie's command line, one module a command."""
