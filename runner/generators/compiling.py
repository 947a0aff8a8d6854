"""How kernels are compiled: ahead of nothing, without the interpreter lock, and kept on disk.

Numba notices a change in the file of a kernel, not in the files of the kernels it calls. So the cache lies
in a folder named by a digest of all their sources, in the user's cache directory unless NUMBA_CACHE_DIR says
otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numba

import procdsl.tables
import procdsl.trees
import procdsl.walks


def _cache_folder() -> Path:
    shared = (Path(module.__file__) for module in (procdsl.tables, procdsl.trees, procdsl.walks))
    sources = [*sorted(Path(__file__).parent.glob("*.py")), *shared]
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for source in sources:
        digest.update(source.read_bytes())
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "procdsl" / f"kernels-{digest.hexdigest()}"


if "NUMBA_CACHE_DIR" not in os.environ:
    numba.config.CACHE_DIR = str(_cache_folder())

kernel: Callable[..., Any] = partial(numba.njit, cache=True, nogil=True)
inlined: Callable[..., Any] = partial(numba.njit, inline="always")
