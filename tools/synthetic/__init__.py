"""Made scenes: what footage cannot give, labelled by construction. They test rules; they never count as accuracy."""
