"""Questions and answers: files in the folder layout of DeepMind's mathematics, or problems made here.

The layout: a folder for each part, in it a file for each module, questions and answers on lines by turns. A
document is a question, a line's end, and its answer; files take turns, one problem from each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from procdsl.errors import RunError
from procdsl.plan.sources.problems import ProblemsSource
from runner.corpora.sources import Pinned, Reading, Unreachable, arithmetic, files


def pin(source: ProblemsSource, *, offline: bool) -> Pinned:
    """Made here: the digest is over the version, parts and modules; files: over their content."""
    if source.path is None:
        listed = json.dumps([arithmetic.VERSION, _generated(source)])
        digest = hashlib.sha256(listed.encode()).hexdigest()
        return Pinned(source, f"generated problems {arithmetic.VERSION}", digest)
    if not Path(source.path).is_dir():
        return _pin_hub(source, offline=offline)
    found = files.inventory(map(str, _files(source, Path(source.path))))
    named = [(f"{path.parent.name}/{path.name}", 0, "") for path in _files(source, Path(source.path))]
    return Pinned(source, f"{len(found)} files", files.digest([*found, *named]), found)


def open(source: ProblemsSource, *, digest: str, cursor: dict[str, Any] | None) -> Reading:
    """The problems of a pinned source, from a cursor on."""
    found = pin(source, offline=True).digest if source.revision is None else _hub_digest(source)
    if found != digest:
        raise files.changed(f"the problems of {source.path or 'this version'}", found, digest)
    if source.path is None:
        start = cursor["documents"] if cursor else 0
        made = arithmetic.problems(_generated(source), start)
        # Problem i can be made without those before it: nothing is skipped.
        texts = (f"{question}\n{answer}" for question, answer in made)
        return Reading(texts, cursor=cursor and {**cursor, "skip": 0})
    folder = _fetched(source) if source.revision else Path(source.path)
    return Reading(_documents(_files(source, folder)), cursor=cursor)


def _generated(source: ProblemsSource) -> tuple[tuple[str, str], ...]:
    """The parts and modules asked for of the problems made here."""
    found = tuple(
        (part, module)
        for part in source.parts
        for module in arithmetic.modules(part)
        if _wanted(module, source)
    )
    if not found:
        known = ", ".join(arithmetic.MODULES)
        asked = " or ".join(source.modules)
        raise RunError(f"no module made here is called {asked}", reason="data", help=f"there are {known}")
    return found


def _wanted(module: str, source: ProblemsSource) -> bool:
    return any(fnmatchcase(module, pattern) for pattern in source.modules)


def _files(source: ProblemsSource, folder: Path) -> list[Path]:
    """The files asked for, part by part, by name."""
    found = list[Path]()
    for part in source.parts:
        own = [path for path in sorted((folder / part).glob("*.txt")) if _wanted(path.stem, source)]
        if not own:
            asked = " or ".join(source.modules)
            raise RunError(
                f"{folder / part} has no module called {asked}",
                reason="data",
                help="the layout is a folder for each part (train-easy, …), a .txt for each module in it",
            )
        found += own
    return found


def _documents(paths: list[Path]) -> Iterator[str]:
    """A problem of each file by turns, until all have ended."""
    with ExitStack() as stack:
        readers = [_problems(path, stack.enter_context(path.open(encoding="utf-8"))) for path in paths]
        while readers:
            rest = list[Iterator[str]]()
            for reader in readers:
                if (text := next(reader, None)) is not None:
                    rest.append(reader)
                    yield text
            readers = rest


def _problems(path: Path, lines: Iterator[str]) -> Iterator[str]:
    for number, question in enumerate(lines):
        answer = next(lines, "").strip()
        if not question.strip() or not answer:
            where = f"{path}:{2 * number + 1}"
            raise RunError(
                f"{where}: questions and answers stand on lines by turns, and one is missing here",
                reason="data",
                help="copy the file again from where it came",
            )
        yield f"{question.strip()}\n{answer}"


# ---------------------------------------------------------------- from the Hub


def _pin_hub(source: ProblemsSource, *, offline: bool) -> Pinned:
    from runner.corpora.sources import hub

    assert source.path is not None
    if source.path.count("/") != 1 or source.path.startswith((".", "/")):
        raise Unreachable(f"there is no folder {source.path}", help="name the folder that holds train-easy")
    revision = hub.commit(source.path, source.revision, offline=offline)
    pinned = source.model_copy(update={"revision": revision})
    return Pinned(pinned, revision, _hub_digest(pinned))


def _hub_digest(source: ProblemsSource) -> str:
    named = source.model_dump(mode="json", include={"path", "revision", "parts", "modules"})
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()


def _fetched(source: ProblemsSource) -> Path:
    """The folder that the files of a commit lie in."""
    from runner.corpora.sources import hub

    patterns = [f"{part}/{module}.txt" for part in source.parts for module in source.modules]
    return hub.folder(str(source.path), str(source.revision), patterns)
