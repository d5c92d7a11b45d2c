"""`vigie doctor`: looks for what is wrong with this machine and the service."""
