"""What a host is to this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host, a name or an address with or without brackets."""
    bare = host.strip("[]")
    try:
        return bare == "localhost" or ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False
