"""Execution: where and how a plan is carried out. Nothing in it changes a key."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from procdsl.accelerators import accelerators
from procdsl.errors import UsageError
from procdsl.plan import Plan, Trial


@dataclass(frozen=True)
class Execution:
    """How a bound plan is carried out here. `seeds` and `only` name the trials wanted; empty means all."""

    store: Path
    device: str = "cpu"
    threads: int = 1
    jobs: int = 1
    compile: bool = False
    tracking_uri: str | None = None
    checkpoint_seconds: float = 60
    strict_data: bool = False
    offline: bool = False
    rebind: bool = False
    only: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    micro_rows: int | None = None
    # Train by the kernels of `runner.compiled`: where they can, nowhere, or (None) where that pays.
    kernels: bool | None = None
    # Train at most so many models of one shape side by side; None: as many as pay (see `runner.replicas`).
    # While a phase is trained: how many models its group is.
    replicas: int | None = None
    # Make rows on the device: where something here can, nowhere, or (None) where that pays
    # (see `runner.device_rows`). The rows are the same.
    device_rows: bool | None = None
    # What the paths of local text files in the spec are relative to: the spec's own folder.
    folder: Path = Path()

    def wants(self, trial: Trial) -> bool:
        """Whether a trial is among those that were asked for."""
        named = not self.only or trial.curriculum in self.only
        return named and (not self.seeds or trial.seed in self.seeds)


def here(
    plan: Plan, spec: Path, *, store: Path | None, on: str, jobs: int | None, threads: int | None
) -> Execution:
    """The execution of a spec's plan on this machine: as it is asked for, else by what there is."""
    chosen = device(on)
    jobs, threads = parallelism(plan, device=chosen, jobs=jobs, threads=threads)
    return Execution(store_root(spec, store), chosen, threads, jobs, folder=spec.parent)


def device(wanted: str = "auto") -> str:
    """The device that is meant: "auto" is the accelerator where there is one."""
    found = accelerators()
    if wanted == "auto":
        return "cuda" if found else "cpu"
    kind, _, index = wanted.partition(":")
    if kind not in {"cpu", "cuda"} or (index and not index.isdecimal()):
        raise UsageError(f"no device is called {wanted!r}", help="use auto, cpu, cuda or cuda:1")
    if kind == "cuda" and found <= int(index or 0):
        raise UsageError(
            f"{wanted} was asked for, and the driver shows {found} CUDA devices", help="use --device cpu"
        )
    return wanted


def cores() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def parallelism(plan: Plan, *, device: str, jobs: int | None, threads: int | None) -> tuple[int, int]:
    """How many operations run at once, and with how many threads each.

    Both follow from the whole study and the machine, not from what is left to do: a run that goes on with
    the last trial must use the threads that the others used, or its sums come in another order.
    """
    for name, value in (("--jobs", jobs), ("--threads", threads)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}", help="use a whole number from 1")
    together = int(os.environ.get("WORLD_SIZE", "1"))
    if jobs is None:
        jobs = (
            1 if together > 1 or device != "cpu" else max(1, min(cores() // (threads or 1), len(plan.trials)))
        )
    return jobs, threads or max(1, cores() // (jobs * together))


def replicas(text: str) -> int | None:
    """How many models a text wants trained side by side at most; None where it leaves that to the device.

    >>> replicas("auto"), replicas("off"), replicas("8")
    (None, 1, 8)
    """
    if text == "auto":
        return None
    if text != "off" and not re.fullmatch("[1-9][0-9]{0,5}", text):
        raise UsageError(f"--replicas is {text!r}", help="use auto, off, or how many at most, as in 8")
    return 1 if text == "off" else int(text)


def store_root(spec: Path, wanted: Path | None = None) -> Path:
    """Where results lie: as asked, as PROCDSL_STORE says, or `.procdsl` beside the spec."""
    named = wanted or (Path(text) if (text := os.environ.get("PROCDSL_STORE")) else None)
    return (named or spec.parent / ".procdsl").expanduser().resolve()


def seed_range(text: str) -> tuple[int, ...]:
    """The seeds that a text names.

    >>> seed_range("3..5,9")
    (3, 4, 5, 9)
    """
    seeds: dict[int, None] = {}
    for part in filter(None, text.split(",")):
        first, dots, last = part.strip().partition("..")
        if (
            not first.isdecimal()
            or (dots and not last.isdecimal())
            or int(last or first) - int(first) > 100_000
        ):
            raise UsageError(f"{text!r} names no seeds", help="use 3, 0..4 or 0..2,7")
        seeds |= dict.fromkeys(range(int(first), int(last or first) + 1))
    return tuple(seeds)
