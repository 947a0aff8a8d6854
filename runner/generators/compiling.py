"""How kernels are compiled: ahead of nothing, without the interpreter lock, and kept on disk.

Numba notices a change in the file of a kernel, not in the files of what it calls. So the cache lies in a
folder named by a digest of all their sources, in the user's cache directory or in NUMBA_CACHE_DIR. Kernels
that many processes compile at once are written by one at a time: an index and its code are two files.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
from filelock import FileLock
from numba.core.caching import FunctionCache

import procdsl.deflate
import procdsl.groups
import procdsl.interleaving
import procdsl.splits
import procdsl.streams
import procdsl.tables
import procdsl.trees
import procdsl.walks

# What kernels take code and constants from, besides one another.
SHARED: tuple[ModuleType, ...] = (
    procdsl.deflate,
    procdsl.groups,
    procdsl.interleaving,
    procdsl.splits,
    procdsl.streams,
    procdsl.tables,
    procdsl.trees,
    procdsl.walks,
)
_ROOMS = ("generators", "compiled")
# So many versions of the sources keep their kernels, about 3 MB each: those used last.
KEPT = 8


def _digest() -> str:
    sources = sorted(path for room in _ROOMS for path in (Path(__file__).parents[1] / room).rglob("*.py"))
    sources += [Path(module.__file__) for module in SHARED if module.__file__]
    digest = blake2b(numba.__version__.encode(), digest_size=8)
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _home() -> Path:
    """Where caches go: among temporary files where no cache of the user's can be written."""
    named, caches = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get("XDG_CACHE_HOME")
    home = Path(named) if named else Path(caches or Path.home() / ".cache") / "procdsl"
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    return home if os.access(home, os.W_OK) else Path(tempfile.gettempdir()) / f"procdsl-{os.getuid()}"


def cache_folder(home: Path, digest: str) -> Path:
    """The folder of this version's kernels, just used; those of the versions used longest ago are removed.

    A process whose folder goes compiles what it still lacks, as it would have without one.
    """
    folder = home / f"kernels-{digest}"
    known = folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    if not known:
        used = {path: path.stat().st_mtime for path in home.glob("kernels-*")}
        for old in sorted(used, key=used.__getitem__)[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    return folder


class _Cache(FunctionCache):  # type: ignore[misc]
    def save_overload(self, sig: Any, data: Any) -> None:
        self._impl.locator.ensure_cache_path()
        with FileLock(Path(self.cache_path) / "lock"):
            super().save_overload(sig, data)


def kernel(function: Callable[..., Any], *, allocates: bool = False, merged: bool = False) -> Any:
    """Compiles a function when it is first called with arguments of their types, or finds it on disk.

    What makes no arrays need not count references to those it is given: a quarter of the time of short rows.
    Another quarter is handing tables on, where what is called for every row is not merged into its callers.
    """
    compiled = numba.njit(nogil=True, _nrt=allocates, forceinline=merged)(function)
    compiled._cache = _Cache(function)  # what cache=True does, with its own class
    return compiled


allocating: Callable[..., Any] = partial(kernel, allocates=True)
merged: Callable[..., Any] = partial(kernel, merged=True)
inlined: Callable[..., Any] = partial(numba.njit, inline="always", _nrt=False)
numba.config.CACHE_DIR = str(cache_folder(_home(), _digest()))
