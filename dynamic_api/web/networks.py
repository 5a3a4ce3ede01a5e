"""Network addresses, as limits count them."""

from ipaddress import IPv4Address, ip_address, ip_network


def network_of(address: str) -> str:
    """What one customer has: an address, or a /64 of IPv6 at least (RFC 6177). Raises ValueError."""
    found = ip_address(address)
    if isinstance(found, IPv4Address):
        return address
    if found.ipv4_mapped is not None:  # a server that listens on both sees ::ffff:192.0.2.1
        return str(found.ipv4_mapped)
    return str(ip_network((found, 64), strict=False))
