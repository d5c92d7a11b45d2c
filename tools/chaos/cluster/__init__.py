"""A whole cluster under faults: nodes, networks, disks, cameras and the service it reports to die, freeze and come back."""
