"""Tests that start Ray: the whole path with real processes, and what becomes of it when they die."""
