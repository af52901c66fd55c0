"""Every block of code in the documents, run as a reader would run it: page by page, at the root of a checkout."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from tests.documented import RUN, Block, blocks, expanded
from tests.e2e.checkout import Checkout

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

#: What keeps the run short and offline; a page that exports something else has its way.
ENV = {"KALSHI_UNIVERSE": "KXCPI,KXHIGHCHI", "KALSHI_SANDBOX_NOW": "2026-07-01T14:00Z", "KALSHI_GRID_MINUTES": "60"}

#: The real exchange and long ranges have stand-ins; everything else is run as it is written.
STANDS_IN = {
    "KALSHI_SOURCE=live": "KALSHI_SOURCE=sandbox",
    "2026-06-17...2026-06-30": "2026-06-29...2026-06-30",
}

_SQL = """
import sys, duckdb
with duckdb.connect("data/sandbox/kalshi.duckdb", read_only=True) as con:
    rows = con.execute(sys.stdin.read()).fetchall()
print(rows[:3])
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.copied_to(tmp_path_factory.mktemp("documented") / "kalshi")


@pytest.mark.parametrize("page", RUN)
def test_a_page_runs_from_its_first_block_to_its_last(page: str, checkout: Checkout, tmp_path: Path) -> None:
    script = tmp_path / "page.sh"
    script.write_text(_script(blocks(page)), "utf-8")
    try:
        done = checkout.run("bash", str(script), env=ENV, timeout=1200)
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"{page} took longer than {late.timeout:.0f} s; its last words: {(late.output or b'')[-500:]!r}")
    assert done.code == 0, f"{page} stopped.\n{done.out[-3000:]}\n{done.err[-3000:]}"
    assert "Traceback" not in done.err


def _script(found: list[Block]) -> str:
    """One shell script of all blocks that are run, so that what a page exports holds to its end."""
    parts = ["set -euo pipefail"]
    session = ""
    for block in found:
        if block.not_run:
            continue
        parts.append(f"echo '### {block.page}, line {block.line}'")
        code = block.code
        for shown, used in STANDS_IN.items():
            code = code.replace(shown, used)
        if block.language == "python":
            # A reader stays in one session: what an earlier block of the page made is there.
            code = session = session + code
        if block.language == "sh":
            parts.append(code)
        else:
            runner = "python -" if block.language == "python" else 'python -c "$SQL"'
            parts.append(f"{runner} <<'END_OF_BLOCK'\n{code}END_OF_BLOCK")
    return f"SQL=$(cat <<'END_OF_SQL'\n{_SQL}END_OF_SQL\n)\n" + "\n".join(parts) + "\n"


def test_the_demo_that_make_starts_ends_with_an_account_a_picture_and_a_report(checkout: Checkout) -> None:
    (command,) = expanded("demo")
    one_city = {**ENV, "KALSHI_UNIVERSE": "KXHIGHCHI", "KALSHI_DATA_DIR": "demo"}
    done = checkout.run(*command, env=one_city, timeout=1200)
    assert done.code == 0, done.said[-3000:]
    assert "[1/1] Everything over the last 14 days" in done.out
    assert "Rows per table" in done.out
    folder = checkout.root / "demo" / "sandbox"
    assert (folder / "demo.png").read_bytes().startswith(b"\x89PNG")
    assert "KXHIGHCHI" in (folder / "report.html").read_text("utf-8")
    assert str(Path("demo") / "sandbox" / "report.html") in done.out


def test_the_ui_answers(checkout: Checkout) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = checkout.start("kalshi-pipeline", "dev", "--port", str(port), env=ENV)
    try:
        assert "dagster" in _answer(f"http://127.0.0.1:{port}/server_info", seconds=240)
    finally:
        os.killpg(server.pid, signal.SIGINT)
        try:
            server.wait(timeout=90)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answer(url: str, seconds: float) -> str:
    """What an address answers with status 200, as soon as it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            answer = httpx.get(url)
        except httpx.TransportError:
            time.sleep(1)
            continue
        if answer.status_code == 200:
            return answer.text
        time.sleep(1)
    pytest.fail(f"{url} did not answer within {seconds:.0f} s")


def test_the_data_dictionary_is_the_one_of_this_version(checkout: Checkout, tmp_path: Path, repo_root: Path) -> None:
    done = checkout.run("kalshi-pipeline", "dictionary", "--output", str(tmp_path / "page.md"))
    assert done.code == 0, done.said
    stored = (repo_root / "docs" / "data-dictionary.md").read_text("utf-8")
    assert (tmp_path / "page.md").read_text("utf-8") == stored, "run `kalshi-pipeline dictionary` and commit the page"
