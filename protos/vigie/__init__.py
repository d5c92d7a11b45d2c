"""The contract between cameras' clusters, the coordination service and everyone who calls it."""
