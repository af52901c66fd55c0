"""Random numbers by name: each (seed, name) has its own counter-based stream, so no draw depends on another."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str) -> np.random.Generator:
    """The generator of a name under a seed; equal names give equal numbers in every process."""
    digest = hashlib.blake2b("|".join((str(seed), *names)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(digest, np.uint64)))
