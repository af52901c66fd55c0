"""Whether the landed files are still the ones that their manifests name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from kalshi_pipeline.landing.store import LandingStore


def damaged_files(store: LandingStore, dataset: str, partitions: Iterable[str]) -> dict[str, str]:
    """Landed files of a dataset that are gone or changed, each with what is wrong with it.

    Args:
        store: the landing folder.
        dataset: the dataset.
        partitions: names of the partitions whose manifests are followed.
    """
    found: dict[str, str] = {}
    for manifest in store.manifests(dataset, partitions):
        for unit in manifest.landed:
            if unit.path in found:
                continue
            path = store.root / unit.path
            if not path.exists():
                found[unit.path] = "gone"
            elif hashlib.sha256(path.read_bytes()).hexdigest() != unit.sha256:
                found[unit.path] = "not the file that its manifest names"
    return found
