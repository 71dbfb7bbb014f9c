"""The line to the Prefect server: a database that is busy for a moment is asked again at once."""

from __future__ import annotations

import asyncio
import logging

import httpx

log = logging.getLogger(__name__)

_PAUSES = (0.03, 0.06, 0.12, 0.25, 0.5)
"""Seconds before each further attempt."""


class PatientTransport(httpx.AsyncBaseTransport):
    """Sends a request again when the server's database was locked.

    On SQLite Prefect's server answers 503, with nothing written, whenever its own bookkeeping
    writes at the same moment: in one of forty requests. Its client would wait two seconds then;
    the lock is gone after some milliseconds. What lasts longer is left to that client.
    """

    def __init__(self, *, limits: httpx.Limits | None = None) -> None:
        self._line = httpx.AsyncHTTPTransport(
            verify=False,
            retries=3,
            limits=limits or httpx.Limits(max_connections=16, max_keepalive_connections=8),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, the last one if the database stays locked."""
        for pause in _PAUSES:
            response = await self._line.handle_async_request(request)
            if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return response
            await response.aread()
            await response.aclose()
            log.debug("%s %s met a locked database", request.method, request.url.path)
            await asyncio.sleep(pause)
        return await self._line.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._line.aclose()
