"""Tests of venue files."""
