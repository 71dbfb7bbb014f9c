"""The report in a real browser: plots draw, the table sorts, nothing goes wrong or outside."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.report import write_report
from tests.orchestrator.histories import open_store
from tests.orchestrator.reports import titania

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--virtual-time-budget=20000", "--enable-logging=stderr", "--v=0",
)  # fmt: skip

PROBE = """
const heads = document.querySelectorAll("#listing thead button");
heads[1].click(); heads[1].click();
const first = document.querySelector("#listing tbody td:nth-child(2)").textContent;
const choice = document.getElementById("choose-curve");
choice.value = "2"; choice.dispatchEvent(new Event("change"));
const across = document.getElementById("choose-x");
across.value = "dwell"; across.dispatchEvent(new Event("change"));
const plots = Array.from(document.querySelectorAll(".plot"));
const found = {
  hottest: first,
  undrawn: plots.filter((p) => !p.querySelector("svg.main-svg")).map((p) => p.id),
  wide: document.documentElement.scrollWidth > window.innerWidth,
  axis: document.querySelector("#searched .xtitle").textContent,
  caption: document.getElementById("curve-caption").textContent.slice(0, 11),
  cloud: document.querySelectorAll("[data-attr=cloud], [data-title*=Share]").length,
  asked: performance.getEntriesByType("resource").filter((r) => r.name.startsWith("http")).length,
};
window.dispatchEvent(new Event("beforeprint"));
const widths = plots.map((p) => p.querySelector("svg.main-svg").getBoundingClientRect().width);
found.printed = Math.max(...widths);
window.dispatchEvent(new Event("afterprint"));
document.title = JSON.stringify(found);
"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; install `chromium`")
def test_the_page_works_in_a_browser_without_errors_or_requests(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        titania(store, 12)
        path = write_report(store, "titania-1", tmp_path)
    page = path.read_text(encoding="utf-8")
    nonce = re.search(r"'nonce-(\w+)'", page).group(1)
    probe = f'<script nonce="{nonce}">{PROBE}</script></body>'
    path.write_text(page.replace("</body>", probe), encoding="utf-8")
    told = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in told.stderr, told.stderr
    title = re.search(r"<title>(.*?)</title>", told.stdout, re.DOTALL).group(1)
    assert json.loads(title) == {
        "hottest": "830.4",
        "undrawn": [],
        "wide": False,
        "axis": "dwell (h)",
        "caption": "temperature",
        "cloud": 0,
        "asked": 0,
        "printed": 680,
    }
