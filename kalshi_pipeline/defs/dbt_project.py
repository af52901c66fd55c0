"""Where the dbt project stands and its manifest, parsed again whenever a file of the project is newer.

Dagster reads the models, their tests and their lineage from the manifest, so every entry point needs one that is up
to date; none needs a command run by hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"
#: Variable in which dbt's profile looks for the warehouse file.
DATABASE_VARIABLE = "KALSHI_DUCKDB_PATH"
_SOURCES = ("*.sql", "*.yml", "*.yaml", "*.csv", "*.md")
_ARTIFACTS = ("partial_parse.msgpack", "manifest.json")


class DbtUnavailable(RuntimeError):
    """dbt is missing or cannot parse the project; the message says which and what to do."""


def dbt_executable() -> str:
    """Path of the dbt command: beside this Python first, then on PATH.

    Raises:
        DbtUnavailable: dbt is installed in neither place.
    """
    beside = Path(sys.executable).parent / "dbt"
    found = str(beside) if beside.exists() else shutil.which("dbt")
    if found is None:
        raise DbtUnavailable(
            "The dbt command is neither beside this Python nor on PATH; install the project again (`make demo` does)."
        )
    return found


def manifest_path(database: Path, project_dir: Path = PROJECT_DIR) -> Path:
    """The manifest of the dbt project, parsed first where it is absent or older than a file of the project.

    Args:
        database: the warehouse that runs will build in. dbt keeps what it parsed only for the same path.
        project_dir: folder of the dbt project.

    Raises:
        DbtUnavailable: dbt is missing, or the project does not parse (dbt's own words are in the message).
    """
    dbt_executable()  # a run would miss it only after minutes
    manifest = project_dir / "target" / "manifest.json"
    if not manifest.exists() or manifest.stat().st_mtime < _newest_source(project_dir):
        _parse(project_dir, manifest.parent, database)
    return manifest


def _newest_source(project_dir: Path) -> float:
    written = (project_dir / "target", project_dir / "logs")
    files = (path for pattern in _SOURCES for path in project_dir.rglob(pattern))
    return max((path.stat().st_mtime for path in files if not path.is_relative_to(written[0])), default=0.0)


def _parse(project_dir: Path, target: Path, database: Path) -> None:
    """Parse into a folder of our own and move the artifacts over, so that two processes never mix theirs."""
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as folder:
        done = subprocess.run(
            [dbt_executable(), "--quiet", "parse", "--target-path", folder],
            cwd=project_dir,
            env={
                **os.environ,
                "DBT_PROFILES_DIR": str(project_dir),
                "DBT_LOG_PATH": folder,
                DATABASE_VARIABLE: str(database.absolute()),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DbtUnavailable(f"dbt cannot parse {project_dir.name}: {(done.stdout + done.stderr).strip()}")
        for name in _ARTIFACTS:
            if (made := Path(folder) / name).exists():
                os.replace(made, target / name)
