"""Who may reach a host: loopback, or addresses that the laboratory allows together with a token."""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from instruments.errors import InstrumentError

FEWEST_CHARACTERS = 16
"""A shared token shorter than this can be guessed."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a host listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the address written as ``host:port`` or ``[::1]:port``. Raises ValueError."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not (colon and host and port.isdigit() and int(port) < 65536):
            raise ValueError(
                f"{text!r} is no address; write the computer and the port, as 127.0.0.1:8765"
            )
        return cls(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False  # a name that a server elsewhere resolves

    @property
    def url(self) -> str:
        """The address as a URL."""
        return f"http://{self}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Access:
    """What the laboratory allows on its network.

    Attributes
    ----------
    allow : computers besides this one that may serve and be contacted, as written in addresses.
    token : shared by host and clients; empty for none, which only loopback may have.
    variable : environment variable the token came from, for error messages.
    """

    allow: tuple[str, ...] = ()
    token: str = field(default="", repr=False)
    variable: str = ""

    def verify(self, address: Address) -> None:
        """Refuse an address that may not be used.

        Raises
        ------
        InstrumentError
            It is not loopback, and not allowed or without a token.
        """
        if address.is_loopback:
            return
        if address.host not in self.allow:
            raise InstrumentError(
                f"{address} is reachable by other computers and not allowed; add "
                f'`[network] allow = ["{address.host}"]` to the laboratory file, or use 127.0.0.1'
            )
        if not self.token:
            raise InstrumentError(
                f"{address} is reachable by other computers, which needs a shared token; add "
                '`token = { env = "SDLAB_HOST_TOKEN" }` under [network] and set that variable on '
                "both computers"
            )

    def admits(self, authorization: str) -> bool:
        """Return whether a request's ``Authorization`` header bears the token."""
        if not self.token:
            return True
        wanted = f"Bearer {self.token}".encode()
        return hmac.compare_digest(authorization.encode("utf-8", "replace"), wanted)

    def headers(self) -> dict[str, str]:
        """Return what a client sends with each request."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def token_from(variable: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the token that an environment variable holds.

    Raises
    ------
    InstrumentError
        It is not set, or too short to be a secret.
    """
    token = environment.get(variable, "").strip()
    if len(token) < FEWEST_CHARACTERS or not token.isascii():
        found = "is not set" if not token else f"holds fewer than {FEWEST_CHARACTERS} characters"
        if token and not token.isascii():
            found = "holds characters beyond ASCII"
        raise InstrumentError(
            f"the shared token is to be in the environment variable {variable}, which {found}; "
            'make one with `python -c "import secrets; print(secrets.token_urlsafe(32))"` and set '
            "it on the host and on its clients"
        )
    return token
