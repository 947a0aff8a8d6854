"""Minimal pairs in files: which they are, by content, and the sentences in them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from procdsl.errors import RunError
from procdsl.plan import MeasureOperation
from procdsl.programs.measurements.minimal_pairs import MinimalPairsMeasurement
from runner.corpora.sources import files


class Pair(NamedTuple):
    """Two sentences of a subset."""

    subset: str
    good: str
    bad: str


def settle(wanted: MinimalPairsMeasurement, folder: Path) -> dict[str, Any]:
    """Which files these are: what a study remembers of them. Every pair that is asked for is read once."""
    folders = [f"{one}/*.jsonl" if (folder / one).is_dir() else one for one in wanted.files]
    paths = files.expanded(folders, folder)
    located = tuple(str(folder / path) for path in paths)
    found = files.digest(files.inventory(located))
    for _ in pairs(wanted.model_copy(update={"files": located, "digest": found})):
        pass
    return {"declared": list(wanted.files), "paths": list(paths), "digest": found}


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
        subset, empty = path.name.removesuffix(".gz").removesuffix(".jsonl"), True
        for where, row in itertools.islice(files.guarded(path, files.rows(path)), wanted.rows):
            empty = False
            yield Pair(subset, _sentence(where, row, "good"), _sentence(where, row, "bad"))
        if empty:
            raise RunError(f"{path} holds no pair", reason="data", help="take it out of `files`")


def _sentence(where: str, row: Any, which: str) -> str:
    """One of the two sentences of a line."""
    key = f"sentence_{which}"
    if isinstance(row, dict) and isinstance(sentence := row.get(key), str) and sentence.strip():
        return sentence
    what = f'no text under "{key}"' if isinstance(row, dict) else "no table"
    help = 'each line is {"sentence_good": "…", "sentence_bad": "…"}'
    raise RunError(f"{where} is no minimal pair: it has {what}", reason="data", help=help)
