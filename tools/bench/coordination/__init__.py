"""How fast the coordination service is, beside its database alone."""
