"""The classifier that verifies flames: how it is trained, see README.md."""
