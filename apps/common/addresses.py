"""What a caller's IP address says of who and where they are."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def source_of(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that a line of IPv6 has to itself.

    What is no address counts as it is.
    """
    found = _read(address)
    if isinstance(found, IPv4Address):
        return str(found)
    return network_of(address) or address


def network_of(address: str) -> str:
    """The /24 or the /64 that an address is in: it stays while a home's address changes.

    Empty for what is no address.
    """
    found = _read(address)
    if found is None:
        return ""
    return str(ip_network(f"{found}/{64 if found.version == 6 else 24}", strict=False))


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    # ::ffff:1.2.3.4, as a socket of both kinds names 1.2.3.4.
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
