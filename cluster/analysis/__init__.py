"""Tracks and pixels to signals: one module per kind. Pure: no clock, no randomness, no I/O."""
