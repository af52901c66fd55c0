"""The code that the documents show: every block, where it stands, and why it is not run where it is not."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: Pages whose blocks are run, in this order: the first fills the warehouse that the others look at.
RUN = (
    "docs/tutorial.md",
    "docs/how-to/read-results.md",
    "docs/how-to/operate.md",
    "docs/how-to/backfill.md",
    "docs/how-to/go-live.md",
    "docs/how-to/upgrade.md",
    "docs/recipes/README.md",
    "README.md",
)

_BLOCK = re.compile(
    r"(?:^[ ]*<!-- not run: (?P<reason>[^>]+) -->\n)?"
    r"^(?P<indent>[ ]*)```(?P<language>sh|python|sql)\n(?P<code>.*?)^[ ]*```$",
    flags=re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of code on a page.

    Attributes:
        page: path of the page from the root.
        line: line of its first line of code.
        language: ``sh``, ``python`` or ``sql``.
        code: its text, without indentation.
        not_run: why it is not run; empty where it is.
    """

    page: str
    line: int
    language: str
    code: str
    not_run: str

    @property
    def commands(self) -> list[str]:
        """The command lines of a shell block, with continued lines joined and comments left out."""
        lines = self.code.replace("\\\n", " ").splitlines()
        return [" ".join(line.split()) for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks(page: str, root: Path = ROOT) -> list[Block]:
    """The blocks of a page, in order."""
    text = (root / page).read_text("utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        indent = len(match["indent"])
        code = "".join(line[indent:] if line.strip() else line for line in match["code"].splitlines(keepends=True))
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(page, line, match["language"], code, (match["reason"] or "").strip()))
    return found


def expanded(*words: str, root: Path = ROOT) -> list[list[str]]:
    """The console commands that ``make`` with these words runs, each as words; the environment is taken as ready."""
    ready = [word for name in ("use", "change") for word in ("-o", f".venv/.ready-to-{name}")]
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *ready, *words],
        cwd=root,
        env={name: value for name, value in os.environ.items() if not name.startswith(("KALSHI_", "MAKE"))},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [shlex.split(line) for line in told.stdout.splitlines() if line.startswith(".venv/bin/kalshi-pipeline ")]
    return [["kalshi-pipeline", *line[1:]] for line in lines]


def pages(root: Path = ROOT) -> list[str]:
    """Every page of the project that is written for its users."""
    found = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").rglob("*.md"))]
    return [page.relative_to(root).as_posix() for page in found]
