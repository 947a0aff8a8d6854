"""Minimal pairs in files: which they are, by content, and the sentences in them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from procdsl.errors import RunError
from procdsl.plan import MeasureOperation
from procdsl.programs import MinimalPairsMeasurement
from runner.corpora.sources import files


class Pair(NamedTuple):
    """Two sentences of a subset."""

    subset: str
    good: str
    bad: str


def settle(declared: Sequence[str], folder: Path) -> dict[str, Any]:
    """Which files these are: what a study remembers of them."""
    folders = [f"{one}/*.jsonl" if (folder / one).is_dir() else one for one in declared]
    paths = files.expanded(folders, folder)
    found = files.inventory(str(folder / path) for path in paths)
    return {"declared": list(declared), "paths": list(paths), "digest": files.digest(found)}


def bound(measure: MeasureOperation, entry: dict[str, Any], folder: Path) -> MeasureOperation:
    """The measurement with its files spelt out from the root, and the digest of what is in them."""
    located = tuple(str((folder / path).absolute()) for path in entry["paths"])
    made = measure.measurement.model_copy(update={"files": located, "digest": entry["digest"]})
    return measure.model_copy(update={"measurement": made})


def pairs(wanted: MinimalPairsMeasurement) -> Iterator[Pair]:
    """The first pairs of every file. A RunError where they are others than the study is bound to, or none."""
    found = files.digest(files.inventory(wanted.files))
    if found != wanted.digest:
        raise files.changed(f"the minimal pairs in {Path(wanted.files[0]).parent}", found, wanted.digest)
    for path in map(Path, wanted.files):
        count = 0
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
            if line.strip() and count < wanted.rows:
                count += 1
                yield _pair(path, number, line)
        if not count:
            raise RunError(f"{path} holds no pair", reason="data", help="take it out of `files`")


def _pair(path: Path, number: int, line: str) -> Pair:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    good, bad = (row.get(key) if isinstance(row, dict) else None for key in ("sentence_good", "sentence_bad"))
    if not (isinstance(good, str) and isinstance(bad, str) and good and bad):
        raise RunError(
            f"{path}:{number} is no minimal pair",
            reason="data",
            help='each line is {"sentence_good": "…", "sentence_bad": "…"}',
        )
    return Pair(path.name.removesuffix(".jsonl"), good, bad)
