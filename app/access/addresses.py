"""Where a request comes from and where it was sent, with proxies in between.

What a proxy says of a request is believed only when it comes from one of ``trusted_proxies``. Which headers it says it
in must be set too (``proxy_headers``): a proxy that writes one family hands the other on as the client made it up.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from app.settings import Settings
from geo.errors import Fault, ParameterError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
ROOT = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,62}){1,4}")
PAIR = re.compile(r'\s*([A-Za-z]+)\s*=\s*("[^"]*"|[^;,"\s]*)\s*')
OURS = frozenset({"api", "docs", "healthz", "limits", "login", "logout", "metrics", "ogc", "openapi.json", "readyz",
                  "static", "studies", "tiles"})  # fmt: skip
"""First parts of the service's own paths, which a root path must not begin with."""
HOPS_MOST = 32
LOCAL_NAME = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """What the proxies before us say of a request; empty where they say nothing that can be."""

    address: str = ""
    scheme: str = ""
    host: str = ""
    root: str = ""


@dataclass(frozen=True)
class Place:
    """Where the service is, as its settings say: ``root`` and ``origin`` are empty where only a request can tell."""

    root: str = ""
    origin: str = ""
    hosts: frozenset[str] = frozenset()
    trusted: tuple[Network, ...] = ()
    forwarded: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Place:
        """As the settings say; ParameterError names those that cannot be."""
        origin, beneath = _public(settings.public_url)
        root = settings.root_path.rstrip("/") or beneath
        _check(root, beneath, settings.root_path)
        hosts = frozenset(_listed(settings.allowed_hosts.lower()))
        hosts |= {origin.partition("://")[2]} if hosts and origin else set()
        return cls(root, origin, hosts, networks(settings.trusted_proxies), settings.proxy_headers == "forwarded")

    @property
    def is_behind_a_proxy(self) -> bool:
        """Whether the settings speak of one."""
        return bool(self.root or self.origin or self.trusted)

    def trusts(self, address: str) -> bool:
        """Whether what comes from an address may say where a request came from."""
        return bool(self.trusted) and _inside(address, self.trusted)

    def knows(self, host: str) -> bool:
        """Whether a Host may be: one that is allowed, or any where none are named."""
        name = host.lower()
        return not self.hosts or name in self.hosts or _portless(name) in self.hosts


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a list such as ``10.0.0.0/8, ::1``; ParameterError for what is none."""
    found: list[Network] = []
    for word in _listed(text):
        try:
            found.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            cure = "Write addresses or networks such as 10.0.0.2,172.16.0.0/12."
            raise ParameterError(Fault("addresses of proxies", word[:80], "RENXING_TRUSTED_PROXIES", cure)) from None
    return tuple(found)


def is_local_name(host: str) -> bool:
    """Whether a Host is a name that this machine alone has for itself."""
    return LOCAL_NAME.fullmatch(host) is not None


def by_x_forwarded(headers: dict[bytes, str], place: Place) -> Told:
    """What the headers X-Forwarded-For, -Proto, -Host and -Prefix say."""
    root = headers.get(b"x-forwarded-prefix", "").strip().rstrip("/")
    return Told(
        address=_client(headers.get(b"x-forwarded-for", "").split(","), place),
        scheme=_scheme(_last(headers.get(b"x-forwarded-proto", ""))),
        host=_host(_last(headers.get(b"x-forwarded-host", "")), place),
        root=root if ROOT.fullmatch(root) else "",
    )


def by_forwarded(headers: dict[bytes, str], place: Place) -> Told:
    """What the header Forwarded (RFC 7239) says."""
    hops = [dict(_pairs(hop)) for hop in headers.get(b"forwarded", "").split(",")[-HOPS_MOST:]]
    last = hops[-1]
    return Told(
        address=_client([hop.get("for", "") for hop in hops], place),
        scheme=_scheme(last.get("proto", "")), host=_host(last.get("host", ""), place),
    )  # fmt: skip


def _client(hops: list[str], place: Place) -> str:
    """The last address that is no trusted proxy's; what stands before something unreadable is not believed."""
    found = ""
    for hop in reversed(hops[-HOPS_MOST:]):
        address = plain(hop)
        if not address:
            break
        found = address
        if not place.trusts(address):
            break
    return found


@lru_cache(maxsize=4096)
def plain(hop: str) -> str:
    """The address of ``192.0.2.1``, ``192.0.2.1:80``, ``[2001:db8::1]:80`` or ``"[2001:db8::1]"``; empty for others."""
    text = hop.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


@lru_cache(maxsize=4096)
def _inside(address: str, trusted: tuple[Network, ...]) -> bool:
    known = plain(address)
    return bool(known) and any(ipaddress.ip_address(known) in network for network in trusted)


def _pairs(hop: str) -> Iterator[tuple[str, str]]:
    for part in hop.split(";"):
        if found := PAIR.fullmatch(part):
            yield found[1].lower(), found[2].strip('"')


def _scheme(text: str) -> str:
    return text if text in ("http", "https") else ""


def _host(text: str, place: Place) -> str:
    return text if HOST.fullmatch(text) and place.knows(text) else ""


def _last(text: str) -> str:
    return text.rpartition(",")[2].strip()


def _portless(host: str) -> str:
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def _listed(text: str) -> Iterable[str]:
    return filter(None, (word.strip() for word in text.split(",")))


def _public(url: str) -> tuple[str, str]:
    """Scheme and host of the address the service is known by, and the path beneath."""
    if not url:
        return "", ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.netloc) or parts.query or parts.fragment:
        cure = "Write RENXING_PUBLIC_URL=https://plans.example.org or https://example.org/plans"
        raise ParameterError(Fault("the address that readers know", url[:200], "RENXING_PUBLIC_URL", cure))
    return f"{parts.scheme}://{parts.netloc.lower()}", parts.path.rstrip("/")


def _check(root: str, beneath: str, given: str) -> None:
    """ParameterError for a root path that cannot be, is one of our own, or is not that of the public address."""
    if not root:
        return
    if not ROOT.fullmatch(root) or root.split("/")[1] in OURS:
        cure = "Write a path such as /renxing that is none of the service's own."
        raise ParameterError(Fault("a root path", root[:80], "RENXING_ROOT_PATH", cure))
    if given and beneath and root != beneath:
        raise ParameterError(Fault(f"the path of RENXING_PUBLIC_URL ({beneath})", root, "RENXING_ROOT_PATH"))
