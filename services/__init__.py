"""Services around the clusters."""
