"""Client addresses, taken from trusted proxies alone."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Return the client's address (see `network_of`), as the outermost of TRUSTED_PROXIES proxies saw it."""
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    if settings.TRUSTED_PROXIES and hops != [""]:
        return network_of(hops[-min(settings.TRUSTED_PROXIES, len(hops))].strip())
    return network_of(request.META.get("REMOTE_ADDR") or "")


def network_of(address: str) -> str:
    """Return the IPv4 address, or the /64 network of an IPv6 address: one client can use all addresses of a /64.

    Return "unknown" for anything else.
    """
    if address.count(":") == 1:  # IPv4 with a port, as some proxies write it
        address = address.partition(":")[0]
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    if known.version == 4:
        return address
    return str(known.ipv4_mapped or ip_network((int(known) >> 64 << 64, 64)))
