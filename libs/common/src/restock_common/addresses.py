"""Where a service may be sent by what others tell it: to the internet, and to no network within."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from restock_common.errors import Permanent

_NAT64 = IPv6Network("64:ff9b::/96")


def check_url(url: str, *, allow_private: bool, field: str = "url") -> str:
    """Return a URL that somebody else has given, and that requests may be sent to.

    Args:
        url: What was given.
        allow_private: Whether it may lead into this network, and need no TLS.
        field: Where it stood.

    Raises:
        Permanent: It is not absolute, not https (http where private ones are allowed), names a
            user or a fragment, or an address that is not public.
    """
    schemes = ("https", "http") if allow_private else ("https",)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Permanent(f"is not a URL: {error}", field=field) from None
    if parts.scheme not in schemes:
        raise Permanent(f"is not {' or '.join(schemes)}: {url[:80]!r}", field=field)
    if not host or parts.username is not None or parts.fragment or not url.isprintable():
        raise Permanent(f"must name a host, no user and no fragment: {url[:80]!r}", field=field)
    try:
        literal = ip_address(host)
    except ValueError:
        return url
    if not allow_private and not is_public(str(literal)):
        raise Permanent(f"{host} is not a public address", field=field)
    return url


def is_public(address: str) -> bool:
    """Return whether an address belongs to a host on the internet, and to no network within.

    Addresses of IPv4 inside IPv6 (mapped, or translated by NAT64) are judged by what they hold.
    """
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found in _NAT64:
            found = IPv4Address(int(found) & 0xFFFFFFFF)
        elif found.sixtofour is not None:
            found = found.sixtofour
    return found.is_global and not found.is_multicast
