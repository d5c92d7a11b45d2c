"""Streams to frames: opening, decoding, timing, and coming back after a fault."""
