"""What the documents say exists."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from kalshi_pipeline.build import build_defs
from kalshi_pipeline.cli.app import app
from kalshi_pipeline.settings import Settings
from tests.documented import RUN, Block, blocks, expanded, pages

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


def test_the_readme_names_the_tables_that_there_are(readme: str, tmp_path: Path) -> None:
    graph = build_defs(Settings(data_dir=tmp_path)).resolve_asset_graph()
    schemas = ("raw", "marts", "health", "research")
    keys = {"/".join(key.path) for key in graph.get_all_asset_keys() if key.path[0] in schemas}
    rows = re.findall(rf"^\| `({'|'.join(schemas)})` \| ([^|]+) \|", readme, flags=re.MULTILINE)
    named = {f"{schema}/{table}" for schema, tables in rows for table in re.findall(r"`(\w+)`", tables)}
    # Not named: a version of a mart that is kept for a while, and the proofs, which are checks without a table.
    assert named == {key for key in keys if not re.search(r"_v\d+$", key)} - {"research/proofs"}


ALL = [block for page in pages() for block in blocks(page)]


def _place(block: Block) -> str:
    return f"{block.page}:{block.line}"


def test_every_block_is_run_by_a_test_or_says_why_not() -> None:
    unrun = [_place(block) for block in ALL if not block.not_run and block.page not in RUN]
    assert unrun == []
    assert sum(not block.not_run for block in ALL) > 15


def test_a_block_without_a_language_holds_no_command(repo_root: Path) -> None:
    for page in pages():
        language: str | None = None
        for line in (repo_root / page).read_text("utf-8").splitlines():
            if line.strip().startswith("```"):
                language = line.strip().removeprefix("```") if language is None else None
                assert language in (None, "", "sh", "python", "sql"), f"{page}: {line}"
            elif language == "":
                assert not re.match(r"\s*(kalshi-pipeline|make|dagster|dg|pip) ", line), f"{page}: {line}"


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "sh"], ids=_place)
def test_every_command_exists_with_its_options(block: Block, repo_root: Path) -> None:
    targets = set(re.findall(r"^([\w./-]+):", (repo_root / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    for line in block.commands:
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            named = [word for word in words[1:] if "=" not in word]
            assert set(named) <= targets | {".venv/.ready-to-use"}, line
            for command in expanded(*words[1:], root=repo_root):
                _parse(typer.main.get_command(app), command[1:])
        if words[0] == "kalshi-pipeline":
            _parse(typer.main.get_command(app), words[1:])


@pytest.mark.parametrize("target", ["demo", "dev"])
def test_make_starts_the_console_command_over_the_source_it_is_given(target: str, repo_root: Path) -> None:
    assert expanded(target, root=repo_root) == [["kalshi-pipeline", target, "--source", "sandbox"]]
    source = "recorded:some folder/world"
    assert expanded(target, f"SOURCE={source}", root=repo_root) == [["kalshi-pipeline", target, "--source", source]]


def _parse(command: Any, words: list[str]) -> None:
    """Parse a command line without running it; an option or a command that does not exist raises."""
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    command.make_context(command.name, words)


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "python"], ids=_place)
def test_every_python_block_imports_what_exists(block: Block) -> None:
    for node in ast.walk(ast.parse(block.code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(module, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}"), block


def test_the_command_line_is_documented_as_a_whole() -> None:
    group: Any = typer.main.get_command(app)
    said = " ".join((Path(__file__).parents[2] / page).read_text("utf-8") for page in pages())
    assert [name for name in group.commands if f"kalshi-pipeline {name}" not in said] == []


#: Commands that say something other than one result: a page of Markdown, progress for people, or a server.
WITHOUT_JSON = {"results", "dictionary", "demo", "dev", "sandbox"}


def test_every_command_with_a_result_says_it_as_json_over_any_source() -> None:
    group: Any = typer.main.get_command(app)
    options = {
        name: {word for parameter in command.params for word in parameter.opts}
        for name, command in group.commands.items()
        if name not in WITHOUT_JSON
    }
    assert {name for name, words in options.items() if not {"--json", "--source"} <= words} == set()
    asked = "init migrate sync collect backfill export verify prove report status retention backup restore"
    assert set(asked.split()) <= options.keys()
    assert "serve" in group.commands["sandbox"].commands


def test_the_data_dictionary_describes_every_column_once(repo_root: Path) -> None:
    text = (repo_root / "docs" / "data-dictionary.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \| (yes|) \| (.*) \|$", text, flags=re.MULTILINE)
    assert len(rows) > 300
    assert [name for name, _, _, said in rows if len(said) < 5] == []
    stored = text[text.index("\n## marts") :]
    assert re.findall(r"^\| `(\w+)` \|  \|", stored, flags=re.MULTILINE) == []
    anchors = {heading.lower().replace(".", "") for heading in re.findall(r"^### (\S+)$", text, flags=re.MULTILINE)}
    assert set(re.findall(r"\(#(\w+)\)", text)) == anchors
