"""Compilation of the kernels to machine code, cached beside their source so that only the first run pays for it.

The compiler's cache knows a kernel by its own file only, while kernels call each other across files. So every kernel is
named after the content of all of them: whoever changes one, gets all of them anew, never a mixture.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Indices: TypeAlias = npt.NDArray[np.uint64]
Bools: TypeAlias = npt.NDArray[np.bool_]

_Function = TypeVar("_Function", bound=Callable[..., object])


#: Makes an index that cannot be negative: spares the test whether it counts from the end, as Python's may.
index = np.uint64


def compiled(function: _Function) -> _Function:
    """Compile a function of arrays and numbers. Exact IEEE arithmetic: no reordering of sums."""
    return _compile(function, inline=False)


def inlined(function: _Function) -> _Function:
    """Compile a step of a kernel into every kernel that takes it: on a short ladder the call would cost most."""
    return _compile(function, inline=True)


def _compile(function: _Function, *, inline: bool) -> _Function:
    function.__qualname__ = f"{function.__qualname__}_{_CONTENT}"
    return cast(_Function, njit(cache=True, nogil=True, error_model="numpy", forceinline=inline)(function))


def content_of_kernels(folder: Path) -> str:
    """A short name of the content of all files in a folder that hold kernels."""
    sources = (path.read_bytes() for path in sorted(folder.glob("*.py")))
    kernels = (source for source in sources if b"@compiled" in source or b"@inlined" in source)
    return sha256(b"\0".join(kernels)).hexdigest()[:12]


_CONTENT = content_of_kernels(Path(__file__).parent)
