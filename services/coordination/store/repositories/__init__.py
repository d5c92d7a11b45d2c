"""One repository for each thing that is kept. They take part in a unit of work and never commit."""
