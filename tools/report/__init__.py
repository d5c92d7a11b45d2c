"""`vigie report`: how well each kind did in the field, as people judged it."""
