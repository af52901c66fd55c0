"""A copy of the checkout in a folder of its own, where commands run as a user would run them: at its root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("kalshi_pipeline", "dbt_project", "docs", "pyproject.toml", "workspace.yaml", "dagster.yaml")
_BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Checkout:
    """The copy, and the variables its commands see besides the ones every shell has."""

    root: Path

    @classmethod
    def copied_to(cls, root: Path) -> Checkout:
        root.mkdir(parents=True, exist_ok=True)
        leave_out = shutil.ignore_patterns("__pycache__", "target", "logs")
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=leave_out)
            else:
                shutil.copy(source, root / name)
        (root / "data").mkdir()
        return cls(root)

    def run(self, *command: str, env: Mapping[str, str] | None = None, timeout: float = 300) -> Done:
        """Run a command of the environment at the copy's root, with no variable of ours but those given."""
        completed = subprocess.run(
            self._found(command),
            cwd=self.root,
            env=self._variables(env),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Done(completed.returncode, completed.stdout, completed.stderr)

    def start(self, *command: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own, for the caller to end; what it says goes nowhere."""
        return subprocess.Popen(
            self._found(command),
            cwd=self.root,
            env=self._variables(env),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @staticmethod
    def _found(command: tuple[str, ...]) -> list[str]:
        """The command by its path in the environment, where it is there; otherwise as a shell finds it."""
        beside = _BIN / command[0]
        return [str(beside) if beside.exists() else command[0], *command[1:]]

    def _variables(self, env: Mapping[str, str] | None) -> dict[str, str]:
        shell = {
            name: value for name, value in os.environ.items() if not name.startswith(("KALSHI_", "DAGSTER_", "DBT_"))
        }
        # The package is installed from the checkout; the copy has to be found before it.
        return {**shell, "PATH": f"{_BIN}{os.pathsep}{shell['PATH']}", "PYTHONPATH": str(self.root), **(env or {})}


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err
