"""What the service decides, free of database, network and clock."""
