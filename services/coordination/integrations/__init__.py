"""What leaves the service for other systems: planned with a person's decision, delivered at least once, given up in the open."""
