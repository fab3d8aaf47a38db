"""Whose a network address is: what one household or office is given, is one source."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

_OF_ONE: Final = 64
"""Bits of an IPv6 address that tell subscribers apart (RFC 6177): the rest is theirs to choose."""


def network_of(address: str) -> str:
    """The source that failures from `address` are counted by: an IPv4 address, an IPv6 /64.

    What is no address (a socket's path, nothing) stands for itself.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _OF_ONE), strict=False))
