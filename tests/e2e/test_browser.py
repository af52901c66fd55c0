"""A machine without the browser skips what needs it, unless the browser is required."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import browser

pytestmark = pytest.mark.e2e


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_browser")
def test_without_a_browser_a_test_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(browser.REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        browser.browser()


@pytest.mark.usefixtures("no_browser")
def test_where_a_browser_is_required_a_test_without_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(browser.REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        browser.browser()


@pytest.mark.usefixtures("no_browser")
@pytest.mark.parametrize("name", ["chromium-browser", "google-chrome-stable", "chrome-headless-shell"])
def test_a_browser_is_found_by_any_of_its_names(name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert browser.browser() == str(program)


def test_the_gate_requires_a_browser(repo_root: Path) -> None:
    script = (repo_root / ".ci" / "run").read_text("utf-8")
    assert f"export {browser.REQUIRED}=1" in script
    assert "apt-get install" in script
