"""Checkpoints: a directory that is whole or not there. Tensors as safetensors, the rest as JSON, no pickle.

    step-00000400/model.safetensors, optimiser.safetensors, state.json, MANIFEST.json (sizes and digests)

It is written under another name, the manifest last, each file synced, then renamed once. Loading goes from
the newest to the oldest, verifies each, and sets aside what is broken; if none is left it says so, and never
begins at step 0 in silence.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from procdsl.errors import RunError
from runner.events import Event, Observer
from runner.store import read_json, sha256, unwritable, write_json

KEEP = 2
_MARGIN = 1.1


@dataclass(frozen=True)
class Checkpoint:
    """What was saved after `step` steps. The last step's holds no optimiser: nobody goes on from it."""

    step: int
    model: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    facts: dict[str, Any]


def save(folder: Path, checkpoint: Checkpoint, *, keep: int = KEEP) -> str:
    """Write a checkpoint into `folder` and drop all but the newest `keep`; the digest of its parameters."""
    name = f"step-{checkpoint.step:08d}"
    making = folder / f".tmp-{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".tmp-*"):
            shutil.rmtree(left)
        _require_space(folder, checkpoint)
        making.mkdir()
        save_file(_storable(checkpoint.model), making / "model.safetensors")
        if checkpoint.optimiser:
            save_file(_storable(checkpoint.optimiser), making / "optimiser.safetensors")
        write_json(making / "state.json", {"step": checkpoint.step, **checkpoint.facts})
        manifest = {path.name: _stamp(path) for path in sorted(making.iterdir())}
        write_json(making / "MANIFEST.json", manifest)
        _sync(making)
        if (folder / name).exists():
            shutil.rmtree(folder / name)
        making.rename(folder / name)
        _sync(folder)
        for old in _names(folder)[keep:]:
            shutil.rmtree(folder / old)
    except OSError as error:
        raise unwritable(making, error) from error
    except SafetensorError as error:
        raise unwritable(making, OSError(_errno(error), str(error))) from error
    return str(manifest["model.safetensors"]["sha256"])


def load(folder: Path, *, operation: str, observe: Observer) -> Checkpoint | None:
    """The newest whole checkpoint, None where none was ever made."""
    names = _names(folder)
    for name in names:
        wrong = damage(folder / name)
        if wrong is None:
            return _read(folder / name)
        aside = _free_name(folder / f"bad-{name}")
        (folder / name).rename(aside)
        observe(
            Event(
                "note",
                operation,
                {"text": f"checkpoint {name} is broken ({wrong}); set aside as {aside.name}"},
            )
        )
    broken = sorted(path.name for path in folder.glob("bad-*"))
    if broken:
        raise RunError(
            f"{operation}: no whole checkpoint is left in {folder} ({', '.join(broken)})",
            reason="checkpoints",
            help=f"to train it again from its start, delete {folder}",
        )
    return None


def damage(checkpoint: Path) -> str | None:
    """What is wrong with a checkpoint's files, None when nothing is."""
    try:
        manifest = read_json(checkpoint / "MANIFEST.json")
    except (OSError, RunError):
        return "its manifest cannot be read"
    for name, stamp in manifest.items():
        path = checkpoint / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != stamp["bytes"]:
            return f"{name} has {path.stat().st_size:,} bytes instead of {stamp['bytes']:,}"
        if sha256(path) != stamp["sha256"]:
            return f"{name} has another content than was written"
    return None


def digest(folder: Path, step: int) -> str:
    """The digest of the parameters saved after a step."""
    return str(read_json(folder / f"step-{step:08d}" / "MANIFEST.json")["model.safetensors"]["sha256"])


def parameters(folder: Path) -> dict[str, Tensor]:
    """The parameters that a finished operation left: `model.safetensors`, or the last checkpoint's."""
    names = _names(folder / "checkpoints")
    place = folder / "checkpoints" / names[0] if names else folder
    found: dict[str, Tensor] = load_file(place / "model.safetensors")
    return found


def _read(checkpoint: Path) -> Checkpoint:
    state = read_json(checkpoint / "state.json")
    optimiser = checkpoint / "optimiser.safetensors"
    return Checkpoint(
        step=state.pop("step"),
        model=load_file(checkpoint / "model.safetensors"),
        optimiser=load_file(optimiser) if optimiser.exists() else {},
        facts=state,
    )


def _names(folder: Path) -> list[str]:
    """The checkpoints in a folder, newest first."""
    return sorted((path.name for path in folder.glob("step-*")), reverse=True)


def _free_name(path: Path) -> Path:
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def _storable(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _require_space(folder: Path, checkpoint: Checkpoint) -> None:
    """Refuse before anything is written: a disk that is filled takes the journals down with it."""
    tensors = (*checkpoint.model.values(), *checkpoint.optimiser.values())
    needed = int(_MARGIN * sum(tensor.numel() * tensor.element_size() for tensor in tensors)) + (1 << 20)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunError(
            f"a checkpoint of {needed / 1e6:,.1f} MB does not fit: {folder} has {free / 1e6:,.1f} MB left",
            reason="no-space",
            help="make room (`procdsl prune`) and run again: it goes on from the last checkpoint",
        )


def _stamp(path: Path) -> dict[str, Any]:
    _sync(path)
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _errno(error: SafetensorError) -> int:
    """The system's error number inside a safetensors message ("... (os error 28)"), 0 where there is none."""
    found = re.search(r"os error (\d+)", str(error))
    return int(found[1]) if found else 0
