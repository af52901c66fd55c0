"""A changed kernel is never run from the cache, nor is one that calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kalshi_pipeline.distributions.compiled import content_of_kernels
from kalshi_pipeline.distributions.threshold import solve, widen

pytestmark = pytest.mark.unit


def test_the_name_of_the_content_follows_every_file_with_kernels_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("@compiled\ndef f(): ...\n")
    (tmp_path / "two.py").write_text("@compiled\ndef g(): ...\n")
    (tmp_path / "plain.py").write_text("x = 1\n")
    before = content_of_kernels(tmp_path)
    (tmp_path / "plain.py").write_text("x = 2\n")
    assert content_of_kernels(tmp_path) == before
    (tmp_path / "two.py").write_text("@compiled\ndef g(): return 1\n")
    assert content_of_kernels(tmp_path) != before


def test_all_kernels_are_named_after_the_same_content() -> None:
    ends = {kernel.__qualname__.rpartition("_")[2] for kernel in (solve, widen)}
    assert len(ends) == 1
    assert ends == {content_of_kernels(Path(solve.__code__.co_filename).parent)}
