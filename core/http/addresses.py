"""Addresses of clients, as far as proxies can be believed."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Where the client is, believing as many proxies as TRUSTED_PROXIES says."""
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    if settings.TRUSTED_PROXIES and hops != [""]:
        return network_of(hops[-min(settings.TRUSTED_PROXIES, len(hops))].strip())
    return network_of(request.META.get("REMOTE_ADDR") or "")


def network_of(address: str) -> str:
    """What one client has to itself: an address of IPv4, and of IPv6 the /64, which holds more than can be counted."""
    if address.count(":") == 1:  # some proxies write the port too
        address = address.partition(":")[0]
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    if known.version == 4:
        return address
    return str(known.ipv4_mapped or ip_network((int(known) >> 64 << 64, 64)))
