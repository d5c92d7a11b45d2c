"""How the networks that the project trains are made, each in a folder of its own with what it needs."""
