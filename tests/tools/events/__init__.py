"""Tests of `vigie events`."""
