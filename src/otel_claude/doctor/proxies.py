"""The proxy that an exporter asks in the place of a receiver.

In: the environment, and where something is to be sent. Out: the proxy.

Over HTTP it is chosen by the scheme of the receiver, and its variable may be in capitals. gRPC looks at three variables
in small letters, whatever the scheme. https://grpc.github.io/grpc/core/md_doc_environment_variables.html
"""

import os
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass, proxy_bypass_environment  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]  # not in typeshed

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


def proxy_of(host: str, protocol: str, *, is_encrypted: bool) -> Proxy | None:
    """The proxy that is asked for a host, if there is one."""
    return _of_grpc(host) if protocol == GRPC else _of_http(host, "https" if is_encrypted else "http")


def _of_http(host: str, scheme: str) -> Proxy | None:
    proxies = getproxies()
    name = next((name for name in (scheme, "all") if name in proxies), None)
    return None if name is None or proxy_bypass(host) else Proxy(f"{name}_proxy", proxies[name])


def _of_grpc(host: str) -> Proxy | None:
    variable = next((name for name in OF_GRPC if os.environ.get(name)), None)
    without = next((value for name in WITHOUT_GRPC if (value := os.environ.get(name))), "")
    if variable is None or proxy_bypass_environment(host, {"no": without}):
        return None
    return Proxy(variable, os.environ[variable])
