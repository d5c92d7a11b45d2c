"""Who may do what: callers and their grants, how they prove them, and the table of what each role may call."""
