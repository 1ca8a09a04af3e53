"""The proxy that an exporter asks in the place of a receiver.

In: the environment, and where something is to be sent. Out: the proxy.

Over HTTP it is chosen by the scheme of the receiver, and its variable may be in capitals. gRPC looks at three variables
in small letters, whatever the scheme. https://grpc.github.io/grpc/core/md_doc_environment_variables.html

Both except hosts, their subdomains and ranges of addresses from it, such as `10.0.0.0/8`. Only over HTTP, an exception
may have a port, or be `*`.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

from otel_claude.doctor.exporters import GRPC

OF_GRPC = ("grpc_proxy", "https_proxy", "http_proxy")
WITHOUT_GRPC = ("no_grpc_proxy", "no_proxy")
PORTS = {"https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}
"""The ports of proxies without one, by scheme. Of others, it is 80."""


class Proxy(NamedTuple):
    """A proxy, and the variable that names it. The `url` may have a password in it."""

    variable: str
    url: str

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port.

        Raises:
            ValueError: the variable has no address.
        """
        parts = urlsplit(self.url if "://" in self.url else f"http://{self.url}")
        if not parts.hostname:
            raise ValueError(self.variable)
        return parts.hostname, parts.port or PORTS.get(parts.scheme, 80)


def proxy_of(host: str, port: int, protocol: str, *, is_encrypted: bool) -> Proxy | None:
    """The proxy that is asked for a host, if there is one."""
    return _of_grpc(host) if protocol == GRPC else _of_http(host, port, "https" if is_encrypted else "http")


def _of_http(host: str, port: int, scheme: str) -> Proxy | None:
    proxies = getproxies()
    name = next((name for name in (scheme, "all") if name in proxies), None)
    if name is None or find_spec("requests") is None:
        return None
    shown = f"[{host}]" if ":" in host else host
    is_excepted = import_module("requests.utils").should_bypass_proxies(f"{scheme}://{shown}:{port}", None)
    return None if is_excepted else Proxy(f"{name}_proxy", proxies[name])


def _of_grpc(host: str) -> Proxy | None:
    variable = next((name for name in OF_GRPC if os.environ.get(name)), None)
    without = next((value for name in WITHOUT_GRPC if (value := os.environ.get(name))), "")
    if variable is None or any(_is_in(host.lower(), each.strip().lower()) for each in without.split(",")):
        return None
    return Proxy(variable, os.environ[variable])


def _is_in(host: str, excepted: str) -> bool:
    try:
        return ip_address(host) in ip_network(excepted, strict=False)
    except ValueError:
        name = excepted.lstrip(".")
        return bool(name) and (host == name or host.endswith(f".{name}"))
