"""Signals to the coordination service: kept on disk until they are acknowledged."""
