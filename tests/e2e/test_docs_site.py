"""The page of `make docs` in a real browser: every model and source, every column described, and the lineage drawn."""

from __future__ import annotations

import html
import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner

from kalshi_pipeline.warehouse.migrations import migrate
from tests.e2e.browser import FLAGS, browser

pytestmark = pytest.mark.e2e

Page = Mapping[str, Any]

#: Walks through the pages of the site in a frame and writes down what a reader sees.
WALK = """<!doctype html><title>walk</title><iframe id="site" width="1600" height="1200"></iframe><pre id="seen"></pre>
<script>
const pages = PAGES, seen = {}, site = document.getElementById("site");
const until = async (ready) => { for (let n = 0; n < 400; n++) { const found = ready(); if (found) return found;
  await new Promise(next => setTimeout(next, 25)); } return null; };
(async () => {
  site.src = "static_index.html#!/" + pages[0];
  for (const page of pages) {
    const name = page.split(".").pop();
    site.contentWindow.location.hash = "#!/" + page;
    await until(() => { const d = site.contentDocument; const title = d && d.querySelector("h1 .break");
      return title && title.textContent.trim().split(".").pop() === name && d.querySelector("tr.column-row"); });
    const rows = [...site.contentDocument.querySelectorAll("tr.column-row")];
    seen[page] = Object.fromEntries(rows.map(row =>
      [row.cells[0].textContent.trim(), row.cells[2].textContent.trim()]));
  }
  site.contentDocument.querySelector(".launcher-btn a").click();
  seen.lineage = await until(() => [...site.contentDocument.querySelectorAll("canvas")].some(canvas => {
    if (!canvas.width) return false;
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    return pixels.some(value => value > 0);
  }));
  document.getElementById("seen").textContent = JSON.stringify(seen);
})();
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Page, Path]]:
    """The generated page behind a loopback address, and the manifest it was made from."""
    browser()
    folder = tmp_path_factory.mktemp("docs")
    migrate(folder / "kalshi.duckdb")
    project = str(repo_root / "dbt_project")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("KALSHI_DUCKDB_PATH", str(folder / "kalshi.duckdb"))
        made = dbtRunner().invoke(
            [
                *("--quiet", "--warn-error", "--log-path", str(folder)),
                *("docs", "generate", "--static", "--empty-catalog", "--target-path", str(folder)),
                *("--project-dir", project, "--profiles-dir", project),
            ]
        )
    assert made.success, made.exception
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", manifest, folder
    server.shutdown()


@pytest.fixture(scope="module")
def seen(site: tuple[str, Page, Path]) -> Page:
    """What a reader sees: by page its columns with their descriptions, and whether the lineage is drawn."""
    address, manifest, folder = site
    models = [name for name, node in manifest["nodes"].items() if node["resource_type"] == "model"]
    # A version of a model is looked up by name and version; one that is not the latest shares the other's title.
    pages = [f"model/{name}" for name in sorted(models) if not re.search(r"\.v\d+$", name)]
    pages += [f"source/{name}" for name in sorted(manifest["sources"])]
    (folder / "walk.html").write_text(WALK.replace("PAGES", json.dumps(pages)), encoding="utf-8")
    done = subprocess.run(
        [
            *(browser(), "--headless=new", *FLAGS),
            *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=120000", "--dump-dom"),
            f"{address}/walk.html",
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, flags=re.DOTALL)
    assert found and found[1], done.stderr[-2000:]
    said: Page = json.loads(html.unescape(found[1]))
    return said


def test_every_column_of_every_page_is_described(site: tuple[str, Page, Path], seen: Page) -> None:
    _, manifest, _ = site
    pages = {page: columns for page, columns in seen.items() if page != "lineage"}
    assert len(pages) > 40
    nodes = {**manifest["nodes"], **manifest["sources"]}
    stated = {page: set(nodes[page.partition("/")[2]]["columns"]) for page in pages}
    assert {page: set(columns) for page, columns in pages.items()} == stated
    bare = [f"{page}.{name}" for page, columns in pages.items() for name, said in columns.items() if not said]
    assert bare == []


def test_the_lineage_is_drawn(seen: Page) -> None:
    assert seen["lineage"] is True
