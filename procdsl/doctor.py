"""What this machine has and lacks: Python, cores, memory, disk, torch, MLflow, the Hub, a store."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_TORCH = (
    "import torch; c = torch.cuda; print(torch.__version__, "
    "*(f'{c.get_device_name(i)}, {c.get_device_properties(i).total_memory / 1e9:.0f} GB' "
    "for i in range(c.device_count())), sep='; ')"
)
_PATIENCE = 120.0
_LEAST_DISK = 2e9


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, and what to do where it is not well."""

    name: str
    well: bool
    value: str
    help: str = ""


def examine(store: Path) -> Iterator[Finding]:
    """Everything, the quick things first. The Hub is asked for at most five seconds."""
    yield _python()
    yield _machine()
    yield _memory()
    yield _disk(store)
    yield _writable(store)
    yield _package("mlflow", "curves stay in the journal until it is there: pip install mlflow")
    yield _package("datasets", "text from the Hub needs it: pip install datasets")
    yield _torch()
    yield _hub()


def _python() -> Finding:
    return Finding(
        "python", sys.version_info >= (3, 11), platform.python_version(), "3.11 or later is needed"
    )


def _machine() -> Finding:
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("cores", True, f"{allowed} of {os.cpu_count()}, {platform.machine()} {platform.system()}")


def _memory() -> Finding:
    import psutil

    found = psutil.virtual_memory()
    return Finding(
        "memory",
        found.available > 1e9,
        f"{found.available / 1e9:.1f} of {found.total / 1e9:.1f} GB free",
        "a small study needs about 1 GB",
    )


def _disk(store: Path) -> Finding:
    usage = shutil.disk_usage(_existing(store))
    value = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB free at {_existing(store)}"
    return Finding("disk", usage.free > _LEAST_DISK, value, "`procdsl prune` frees what no study needs")


def _writable(store: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=_existing(store)):
            return Finding("store", True, f"{store} is writable")
    except OSError as error:
        return Finding("store", False, f"{store}: {error.strerror}", "choose another: --store, PROCDSL_STORE")


def _existing(path: Path) -> Path:
    """The nearest folder there is, going up."""
    return next((p for p in (path, *path.resolve().parents) if p.is_dir()), Path("/"))


def _package(name: str, help: str) -> Finding:
    try:
        return Finding(name, True, version(name))
    except PackageNotFoundError:
        return Finding(name, False, "not installed", help)


def _torch() -> Finding:
    """Asked in a process of its own: a broken installation must not take this one down."""
    help = "training needs it: pip install torch"
    try:
        told = subprocess.run(
            [sys.executable, "-c", _TORCH], capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return Finding("torch", False, f"did not import within {_PATIENCE:.0f} s", help)
    if told.returncode:
        last = told.stderr.strip().rpartition("\n")[2] or f"exit status {told.returncode}"
        return Finding("torch", False, last, help)
    first, _, devices = told.stdout.strip().partition("; ")
    return Finding("torch", True, f"{first}, {devices or 'no accelerator'}")


def _hub() -> Finding:
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    help = "corpora with a fallback use it; others need the network"
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=5) as answer:
            return Finding("hub", True, f"{address} answers {answer.status}")
    except urllib.error.HTTPError as error:
        return Finding("hub", error.code < 500, f"{address} answers {error.code}", help)
    except (OSError, ValueError) as error:
        return Finding("hub", False, f"{address}: {getattr(error, 'reason', error)}", help)
