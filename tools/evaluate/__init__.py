"""`vigie evaluate`: how well the eight kinds are found on labelled clips."""
