"""Version 1 of the contract, generated from the protos beside it by `make protos`."""
