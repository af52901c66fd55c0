"""Compilation of the kernels to machine code, cached beside their source so that only the first run pays for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """Compile a function of arrays and numbers. Exact IEEE arithmetic: no reordering of sums."""
    return cast(_Function, njit(cache=True, nogil=True, error_model="numpy")(function))
