"""A headless Chromium, driven over its DevTools protocol, that remembers every address it asks."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--force-color-profile=srgb",
    "--window-size=1400,1600",
    "--remote-debugging-port=0",
)


def find() -> str | None:
    """Return the path of a Chromium, None if this machine has none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab.

    Attributes
    ----------
    asked : every address the page asked for, data addresses aside.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.asked: list[str] = []

    async def listen(self) -> None:
        """Sort what the browser says into answers and requests, until it is closed."""
        async for text in self._socket:
            message = json.loads(text)
            if "id" in message:
                self._waiting.pop(message["id"]).set_result(message)
            elif message.get("method") in (
                "Network.requestWillBeSent",
                "Network.webSocketCreated",
            ):
                inside = message["params"]
                url = inside["url"] if "url" in inside else inside["request"]["url"]
                if not url.startswith(("data:", "blob:", "chrome:", "about:")):
                    self.asked.append(url)

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._ids)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        answer = await asyncio.wait_for(self._waiting[number], timeout=60)
        assert "result" in answer, answer
        return answer["result"]

    async def open(self, url: str) -> None:
        """Go to an address."""
        await self.send("Page.navigate", url=url)

    async def value(self, expression: str) -> Any:
        """Return what a JavaScript expression gives."""
        answer = await self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def until(self, expression: str, *, seconds: float = 60) -> Any:
        """Return the value of an expression as soon as it is true."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not (found := await self.value(expression)):
            if asyncio.get_running_loop().time() > deadline:
                text = await self.value("document.body.innerText")
                raise AssertionError(f"never true: {expression}\nthe page says:\n{text}")
            await asyncio.sleep(0.2)
        return found

    async def screenshot(self, path: Path) -> None:
        """Write what is seen to a PNG file."""
        shot = await self.send("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def page(program: str, profile: Path) -> AsyncIterator[Page]:
    """Give a tab of a browser of its own, which is closed at the end."""
    profile.mkdir(parents=True, exist_ok=True)
    command = [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with (profile / "log").open("wb") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        address = await _first_tab(profile, browser)
        async with connect(address, max_size=None) as socket:
            tab = Page(socket)
            listening = asyncio.create_task(tab.listen())
            for domain in ("Network", "Page", "Runtime"):
                await tab.send(f"{domain}.enable")
            yield tab
            listening.cancel()
    finally:
        browser.terminate()
        browser.wait(timeout=20)


async def _first_tab(profile: Path, browser: subprocess.Popen[bytes]) -> str:
    """Return the DevTools address of the open tab, once the browser has written its port."""
    import httpx

    note = profile / "DevToolsActivePort"
    for _ in range(600):
        assert browser.poll() is None, (profile / "log").read_text(errors="replace")[-2000:]
        if note.exists() and (lines := note.read_text().split()):
            async with httpx.AsyncClient() as client:
                tabs = (await client.get(f"http://127.0.0.1:{lines[0]}/json")).json()
            found = [t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page"]
            if found:
                return str(found[0])
        await asyncio.sleep(0.1)
    raise AssertionError("Chromium opened no tab within a minute")
