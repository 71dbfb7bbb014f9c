"""What every request must pass before a route sees it: the token, its origin, its size."""

from __future__ import annotations

import json
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from instruments.hosting.security import Access, Address

MOST_BYTES = 1_048_576
"""A command is a page of text at most; more is a mistake or an attack."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    message: str


class Guard:
    """Refuses a request without the token, from a web page, or with too long a body.

    A web page in a browser on the same computer can send to loopback too. It cannot send JSON
    without being asked for permission first, nor, where a token is needed, know the token; and a
    name that was made to resolve to loopback shows in the ``Host`` header.
    """

    def __init__(self, routes: ASGIApp, access: Access) -> None:
        self._routes = routes
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer it with why not."""
        if scope["type"] != "http":
            await self._routes(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        if refusal := self._refusal(scope["method"], headers):
            await _answer(send, refusal)
            return
        body = await _body(receive)
        if body is None:
            await _answer(send, _too_long())
            return
        sent = False

        async def whole() -> Message:
            nonlocal sent
            if sent:
                return await receive()  # waits for the end of the connection
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._routes(scope, whole, send)

    def _refusal(self, method: str, headers: dict[str, str]) -> _Refusal | None:
        if not self._access.admits(headers.get("authorization", "")):
            return _Refusal(401, "the shared token is missing or wrong; see [network] token")
        if not self._access.token and not _is_loopback(headers.get("host", "")):
            return _Refusal(403, f"this host does not answer to {headers.get('host')!r}")
        if method == "POST" and headers.get("content-type", "") != "application/json":
            return _Refusal(415, "application/json is expected")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            return _too_long()
        return None


def _too_long() -> _Refusal:
    return _Refusal(413, f"a request of more than {MOST_BYTES} bytes is not read")


async def _body(receive: Receive) -> bytes | None:
    """Return the body, None if it is too long, whatever its header said."""
    parts: list[bytes] = []
    total = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        total += len(parts[-1])
        if total > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def _answer(send: Send, refusal: _Refusal) -> None:
    told = {"error": {"kind": "InstrumentError", "message": refusal.message}}
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


def _is_loopback(host: str) -> bool:
    try:
        address = Address.parse(host if host.rpartition(":")[2].isdigit() else f"{host}:80")
    except ValueError:
        return False
    return address.is_loopback
