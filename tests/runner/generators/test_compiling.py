"""Kernels are compiled once: other processes find them, and nothing stale is found."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from runner import generators
from runner.generators.compiling import KEPT, SHARED, cache_folder

FIRST_CALL = """
import numpy as np
from numba.core import event
from runner.generators.philox import begin, new_draws
with event.install_recorder("numba:compile") as compiled:
    begin(new_draws(8), np.int64(1), 2, 3)
print(len(compiled.buffer))
"""
# No code of kernels: programs are data, errors are raised outside, and the rows of plug-ins have no kernel.
DATA = ("procdsl.programs", "procdsl.plan", "procdsl.errors", "procdsl.generate")


def compiled_by(processes: int, cache: Path) -> list[int]:
    """How much each of so many processes compiles, all begun at once."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    begun = [
        subprocess.Popen(
            [sys.executable, "-c", FIRST_CALL], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    return [int(process.communicate(timeout=300)[0]) for process in begun]


def test_no_process_compiles_what_is_on_disk(tmp_path: Path) -> None:
    assert max(compiled_by(2, tmp_path)) > 0
    assert compiled_by(2, tmp_path) == [0, 0]


def test_what_kernels_use_is_in_the_digest() -> None:
    sources = Path(generators.__file__).parent.rglob("*.py")
    imported = set[str]()
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "procdsl":
                imported |= {f"procdsl.{name.name}" for name in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("procdsl."):
                imported.add(str(node.module))
    used = {name for name in imported if not name.startswith(DATA)}
    assert used <= {module.__name__ for module in SHARED}


def test_only_the_versions_used_last_are_kept(tmp_path: Path) -> None:
    for number in range(KEPT + 3):
        os.utime(cache_folder(tmp_path, f"{number:02}"), (number, number))
    cache_folder(tmp_path, "00")
    kept = {path.name for path in tmp_path.iterdir()}
    assert len(kept) == KEPT
    assert {"kernels-00", f"kernels-{KEPT + 2:02}"} <= kept
