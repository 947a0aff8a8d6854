"""Provenance: with what, where and when an operation was carried out. Recorded, never part of a key."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from runner.execution import Execution

_PACKAGES = ("procdsl", "torch", "numpy", "numba", "tokenizers", "datasets", "mlflow", "safetensors")
# An allow-list: a whole environment holds tokens, and provenance is published.
_ENVIRONMENT = (
    "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS", "PYTHONHASHSEED", "HF_HUB_OFFLINE", "SLURM_JOB_ID", "WORLD_SIZE",
)  # fmt: skip


def provenance(execution: Execution) -> dict[str, Any]:
    """Versions, device, threads, commit and the few environment variables that can matter."""
    return {
        "at": now(),
        **_code(),
        "device": execution.device,
        "device_name": _device_name(execution.device),
        "threads": execution.threads,
        "compile": execution.compile,
        "kernels": execution.kernels,
        "device_rows": execution.device_rows,
        "micro_rows": execution.micro_rows,
        "environment": {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
    }


@cache
def _code() -> dict[str, Any]:
    """What runs here. Asked once a process: reading it all takes over a second beside a busy disk."""
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


def now() -> str:
    """The time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _device_name(device: str) -> str:
    torch = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None:
        return str(torch.cuda.get_device_name(device))
    cpus = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*:\s*(.+)", cpus.read_text()) if cpus.exists() else []
    return names[0] if names else platform.processor() or platform.machine()


def _commit() -> str | None:
    """The commit of the code that runs, "+changes" behind it when the tree differs; None outside git."""
    here = Path(__file__).resolve().parent
    if not (here.parent / ".git").exists():
        return None
    try:
        head = _git(here, "rev-parse", "HEAD")
        return head + ("+changes" if _git(here, "status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
