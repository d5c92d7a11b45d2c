"""`vigie run`: analyses the cameras of a cluster until it is stopped."""
