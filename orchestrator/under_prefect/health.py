"""Does a Prefect server answer, and does it take our questions?"""

from __future__ import annotations

import base64
import http.client
from urllib.parse import urlsplit

from orchestrator.under_prefect.settings import HOST, auth_string


def is_alive(api_url: str, *, timeout: float = 1.0) -> bool:
    """Return whether a Prefect API answers within `timeout` seconds that it is well.

    That it says to everybody, also where it asks for its authentication.
    """
    status, text = _get(api_url, "health", timeout=timeout)
    return status == http.client.OK and text.strip() == b"true"


def is_refused(api_url: str, *, timeout: float = 5.0) -> bool:
    """Return whether a Prefect API asks for an authentication other than ours."""
    secret = auth_string()
    shown = base64.b64encode(secret.encode()).decode() if secret is not None else None
    headers = {"Authorization": f"Basic {shown}"} if shown is not None else {}
    status, _ = _get(api_url, "admin/version", timeout=timeout, headers=headers)
    return status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN)


def _get(
    api_url: str, what: str, *, timeout: float, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Return the status and text of an answer, 0 if there is none."""
    parts = urlsplit(api_url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname or HOST, parts.port, timeout=timeout)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/{what}", headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()
