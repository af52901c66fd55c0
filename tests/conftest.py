"""What tests of every room share: where things stand, settings of their own, repeatable random examples."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from kalshi_pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[1]

# The same examples on every machine and no deadline: a slow or loaded machine is no reason to fail.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.load_profile("repeatable")


def recorded_worlds(shared: Path | None = None) -> list[Path]:
    """Folders of the recorded worlds that lie beside the checkout, by name; empty where there are none."""
    folder = (shared or ROOT.parent / "shared") / "recorded"
    return sorted(world.parent for world in folder.glob("*/world.json"))


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Reference material kept beside the checkout (recorded worlds, wire samples and schemas), which it never holds."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder `shared` with recorded worlds and wire samples is not beside the checkout")
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The default settings over an empty data folder."""
    return Settings(data_dir=tmp_path / "data")
