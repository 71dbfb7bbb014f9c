"""The client's transport: one request and its reply, to a host whose identity is verified."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
from typing import Any

import httpx

from instruments.errors import InstrumentError
from instruments.hosting.errors import error_from_json
from instruments.hosting.security import Access, Address
from instruments.hosting.wire import Json

QUICK = 5.0
"""Seconds within which a host on a laboratory network answers what needs no waiting."""


class LineLost(InstrumentError):
    """The connection broke, or nobody answers; whether a request arrived is not known."""


class AnotherMemory(InstrumentError):
    """The host answers, and its command log is another one than before."""


class Line:
    """Requests about one hosted instrument.

    The rule after any transport error is: close, reopen, verify who is there. A request is never
    repeated here; only its sender knows whether that is safe.

    Parameters
    ----------
    host : the host's name in the laboratory file, for error messages.
    """

    def __init__(self, instrument: str, address: Address, *, host: str, access: Access) -> None:
        access.verify(address)
        self.instrument = instrument
        self.address = address
        self._host = host
        self._access = access
        self._open: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    async def get(self, what: str = "", *, timeout: float = QUICK) -> Json:
        """Return the reply to a question. Raises LineLost or what the host raised."""
        return await self._request("GET", what, None, timeout)

    async def post(self, what: str, contents: Json, *, timeout: float = QUICK) -> Json:
        """Return the reply to an order. Raises LineLost or what the host raised."""
        return await self._request("POST", what, contents, timeout)

    async def apart(self, what: str, contents: Json, *, timeout: float) -> Json:
        """Return the reply to an order on a connection of its own, which stands behind nothing."""
        async with httpx.AsyncClient(**self._options()) as client:
            return await self._sent(client, "POST", what, contents, timeout)

    def now(self, method: str, what: str = "", contents: Json | None = None) -> Json:
        """Return a reply without an event loop: `check` is a plain call. See `get` and `post`."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=QUICK)
        headers = {**self._access.headers(), "Content-Type": "application/json"}
        body = None if contents is None else json.dumps(contents)
        try:
            connection.request(method, self._path(what), body, headers)
            reply = connection.getresponse()
            return self._contents(reply.status, reply.read())
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(error) from error
        finally:
            connection.close()

    async def close(self) -> None:
        """Close the connection; the next request opens another one."""
        opened, self._open = self._open, None
        if opened is not None and opened[0] is asyncio.get_running_loop():
            await opened[1].aclose()

    async def reopened(self, identity: str, *, patience: float) -> Json:
        """Return what the host says of the instrument once it answers again.

        Raises
        ------
        LineLost
            It did not answer within `patience` real seconds.
        AnotherMemory
            Another log stands behind the address than the one of `identity`.
        """
        give_up = time.monotonic() + patience
        pause = 0.05
        while True:
            await self.close()
            try:
                return self.verified(await self.get(), identity)
            except LineLost:
                if time.monotonic() + pause > give_up:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    def verified(self, described: Json, identity: str) -> Json:
        """Return `described` if the memory behind it is the one of `identity` (empty for any).

        Raises
        ------
        InstrumentError
            It is another instrument, or `AnotherMemory`.
        """
        if described["name"] != self.instrument:
            raise InstrumentError(f"{self.address} answers as {described['name']!r}")
        if identity and described["identity"] != identity:
            raise AnotherMemory(
                f"the host {self._host} at {self.address} has begun another command log for "
                f"{self.instrument} and knows nothing of what was sent before; restore the log, "
                "or look at the device"
            )
        return described

    async def _request(self, method: str, what: str, contents: Json | None, timeout: float) -> Json:
        return await self._sent(self._client(), method, what, contents, timeout)

    async def _sent(
        self,
        client: httpx.AsyncClient,
        method: str,
        what: str,
        contents: Json | None,
        timeout: float,
    ) -> Json:
        try:
            reply = await client.request(method, self._path(what), json=contents, timeout=timeout)
        except httpx.TransportError as error:
            raise self._lost(error) from error
        return self._contents(reply.status_code, reply.content)

    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._open is None or self._open[0] is not loop:
            self._open = (loop, httpx.AsyncClient(**self._options()))
        return self._open[1]

    def _options(self) -> dict[str, Any]:
        # No proxy of the environment stands between a laboratory's computers; and the wire is
        # plain HTTP, so the authorities of a TLS context, which take long to load, stay unloaded.
        return {
            "base_url": self.address.url,
            "headers": self._access.headers(),
            "trust_env": False,
            "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        }

    def _path(self, what: str) -> str:
        return f"/instruments/{self.instrument}" + (f"/{what}" if what else "")

    def _contents(self, status: int, body: bytes) -> Json:
        try:
            contents: Json = json.loads(body)
        except ValueError as error:
            raise LineLost(
                f"{self.address} answered {status} with something that is no host's reply; check "
                "the address in the laboratory file"
            ) from error
        if 200 <= status < 300:
            return contents
        if "error" in contents:
            raise error_from_json(self.instrument, contents["error"])
        raise LineLost(f"{self.address} answered {status}: {contents}")

    def _lost(self, error: Exception) -> LineLost:
        why = str(error) or type(error).__name__
        return LineLost(
            f"the host {self._host} at {self.address} does not answer ({why}); start it on its "
            f"computer with `sdlab host LAB.toml --name {self._host}`"
        )
