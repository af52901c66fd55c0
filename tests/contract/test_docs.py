"""What the documents say exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def readme(repo_root: Path) -> str:
    return (repo_root / "README.md").read_text("utf-8")


def test_every_link_to_a_file_leads_somewhere(repo_root: Path) -> None:
    pages = [*repo_root.glob("*.md"), *(repo_root / "docs").rglob("*.md"), *(repo_root / "data").glob("*.md")]
    broken = [
        f"{page.relative_to(repo_root)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+?)\)", page.read_text("utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_decision_is_in_the_index(repo_root: Path) -> None:
    folder = repo_root / "docs" / "decisions"
    index = (folder / "README.md").read_text("utf-8")
    assert [page.name for page in folder.glob("0*.md") if f"({page.name})" not in index] == []


def test_the_readme_names_every_variable_and_no_other(readme: str, repo_root: Path) -> None:
    variables = re.compile(r"KALSHI_[A-Z_]+")
    read = set(variables.findall((repo_root / "kalshi_pipeline" / "settings.py").read_text("utf-8")))
    assert set(variables.findall(readme)) == read


def test_the_readme_selects_assets_that_exist(readme: str, tmp_path: Path) -> None:
    graph = build_defs(Settings(data_dir=tmp_path)).resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    groups = {graph.get(key).group_name for key in graph.materializable_asset_keys}
    selected = {part for text in re.findall(r"--select '([^']+)'", readme) for part in text.split(",")}
    assert {part for part in selected if not part.startswith("group:")} <= keys
    assert {part.removeprefix("group:") for part in selected if part.startswith("group:")} <= groups


def test_the_readme_names_tables_that_exist(readme: str, tmp_path: Path) -> None:
    graph = build_defs(Settings(data_dir=tmp_path)).resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    rows = re.findall(r"^\| `(raw|marts|research)` \| ([^|]+) \|", readme, flags=re.MULTILINE)
    named = {f"{schema}/{table}" for schema, tables in rows for table in re.findall(r"`(\w+)`", tables)}
    assert len(named) > 15
    assert named <= keys
