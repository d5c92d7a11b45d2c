"""Tests of `vigie doctor`."""
