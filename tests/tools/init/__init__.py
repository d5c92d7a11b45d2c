"""Tests of `vigie init`."""
