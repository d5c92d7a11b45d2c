"""Tests of the whole path, as a user takes it."""
