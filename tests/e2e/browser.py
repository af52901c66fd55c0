"""A headless browser as a subprocess: pictures, printed pages, and what a page measures of itself.

``python -m tests.e2e.browser`` prints where the browser is, and fails where there is none.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("chromium-headless-shell", "chrome-headless-shell"),
)
#: Nothing but the page under test is asked for: no update, no account, no first-run page.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
#: Set to 1 where a test that needs the browser must not be skipped.
REQUIRED = "KALSHI_REQUIRE_BROWSER"
_MEASURE = """
<script>
addEventListener("load", () => {
  const wide = [...document.querySelectorAll("body *")].filter(
    e => !e.closest(".scroll, .unseen, .skip") && e.getBoundingClientRect().right > innerWidth + 1);
  const pictures = [...document.images];
  document.title = JSON.stringify({
    width: innerWidth, scrollWidth: document.documentElement.scrollWidth, wide: wide.map(e => e.outerHTML.slice(0, 80)),
    broken: pictures.filter(i => i.complete && !i.naturalWidth).length, pictures: pictures.length,
    small: [...document.querySelectorAll("nav a")].filter(a => a.getBoundingClientRect().height < 24).length,
    cut: [...document.querySelectorAll(".scroll")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    focusable: document.querySelectorAll("a[href], [tabindex='0']").length,
  });
});
</script>
"""


def find_browser() -> str | None:
    """The browser of this machine, by whichever of its names it is there."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def browser() -> str:
    """The browser of this machine; skips the test where there is none, or fails it where one is required."""
    found = find_browser()
    if found is None:
        said = f"no Chromium on this machine, looked for {', '.join(_NAMES)} (on Debian: apt install chromium)"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(said)
        pytest.skip(said)
    return found


def measure(html: str, width: int, folder: Path) -> dict[str, Any]:
    """Lay a page out in a window of some width and let it measure itself.

    The page's own policy forbids scripts, so the copy that is measured goes without it.
    """
    page = folder / f"measured-{width}.html"
    start = html.index('<meta http-equiv="Content-Security-Policy"')
    end = html.index(">", start) + 1
    page.write_text(html[:start] + html[end:].replace("</body>", _MEASURE + "</body>"), "utf-8")
    dom = _run("--dump-dom", f"--window-size={width},900", page.as_uri())
    title = dom[dom.index("<title>") + 7 : dom.index("</title>")]
    measured: dict[str, Any] = json.loads(title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return measured


def screenshot(page: Path, width: int, height: int, to: Path) -> bytes:
    """A picture of a page in a window of some size."""
    _run(f"--screenshot={to}", f"--window-size={width},{height}", page.as_uri())
    return to.read_bytes()


def printed(page: Path, to: Path) -> bytes:
    """The page as it is printed, as a PDF."""
    _run(f"--print-to-pdf={to}", "--no-pdf-header-footer", page.as_uri())
    return to.read_bytes()


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [browser(), "--headless", *FLAGS, "--hide-scrollbars", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    found = find_browser()
    if found is None:
        sys.exit(f"No Chromium on this machine, looked for {', '.join(_NAMES)}.")
    print(found)
