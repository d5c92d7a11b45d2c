"""Tests of `vigie demo`."""
