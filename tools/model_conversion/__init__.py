"""How the network that Vigie ships is made from what its authors publish; runs in an environment of its own, see README.md."""
