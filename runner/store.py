"""The store: what operations made, by content. Atomic writes, a mark of completeness, locks.

objects/<kind>-<key>/    operation.json, then the output, then DONE.json, written last
studies/<study>/         the bound plan, the spec as written, and readable links to the objects
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout
from pydantic import ValidationError

from procdsl.errors import RunError, UsageError
from procdsl.plan import Operation, Plan, digest

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
# Beside the output, and allowed to change after it is complete.
_COMPANIONS = frozenset(
    {"DONE.json", "operation.json", "provenance.json", "failures.json", "journal.jsonl", "measurements"}
    | {"lock", "owner.json"}
)
_POLL_SECONDS = 0.2
_ROOM = "free some space, `procdsl prune` old results, or name another volume with --store"


class Locked(RunError):
    """Somebody else is at it. The call was wrong rather than the run: exit 2."""

    exit_code = 2

    def __init__(self, what: str, owner: dict[str, Any]) -> None:
        who = f"process {owner.get('pid', '?')} on {owner.get('host', '?')} since {owner.get('since', '?')}"
        self.owner = owner
        super().__init__(
            f"{what} is held by {who}",
            reason="locked",
            help="wait for that run to end, or stop it; a lock ends with its process",
        )


class Store:
    """A folder of content-keyed results. Making the object touches nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, kind: str, key: str) -> Path:
        """Where an operation's output lies or would lie."""
        return self.root / "objects" / f"{_safe(kind)}-{_safe(key)}"

    def place(self, kind: str, key: str) -> Path:
        """The folder of an operation's output, made when it is not there."""
        return self._folder(self.path(kind, key))

    def study(self, name: str) -> Path:
        """The folder of a study."""
        return self.root / "studies" / _safe(name)

    def claim(self, study: str, curriculum: str, seed: int) -> Path:
        """The folder that whoever works on a trial holds."""
        return self._folder(self.study(study) / "claims" / f"{_safe(curriculum)}-s{seed}")

    def done(self, kind: str, key: str) -> dict[str, Any] | None:
        """What is known of a finished operation; None when it is not finished or its files are not whole."""
        if (found := self._done(kind, key)) is None or self.damage(kind, key):
            return None
        return cast(dict[str, Any], found["facts"])

    def damage(self, kind: str, key: str) -> list[str]:
        """What is wrong with the files of a finished operation, by their sizes: quick, and no proof."""
        place = self.path(kind, key)
        found = self._done(kind, key) or {"files": {}}
        return [
            f"{place / name}: {'missing' if size is None else f'{size:,} bytes'}, expected {expected:,} bytes"
            for name, expected in found["files"].items()
            if (size := _size(place / name)) != expected
        ]

    def finish(self, kind: str, key: str, facts: dict[str, Any]) -> None:
        """Mark an operation complete, with the size of every file it made."""
        place = self.path(kind, key)
        write_json(place / "DONE.json", {"facts": facts, "files": dict(sorted(_output(place)))})
        (place / "failures.json").unlink(missing_ok=True)

    def reopen(self, kind: str, key: str) -> None:
        """Take the mark of completeness away: the operation will be done again."""
        (self.path(kind, key) / "DONE.json").unlink(missing_ok=True)

    def describe(self, operation: Operation, key: str) -> Path:
        """Write the full operation beside its output, so that two keys can be told apart field by field."""
        place = self.place(operation.model_dump()["kind"], key)
        if not (place / "operation.json").exists():
            content = {"key": key, "semantics": operation.semantics}
            write_json(place / "operation.json", content | {"operation": operation.model_dump(mode="json")})
        return place

    @contextlib.contextmanager
    def lock(self, kind: str, key: str, *, wait: float = 0) -> Iterator[None]:
        """Hold an operation alone, waiting at most `wait` seconds; `Locked` if another process does."""
        with hold(self.place(kind, key), f"{kind} {key[:12]}", wait=wait):
            yield

    def remember(self, plan: Plan) -> None:
        """Keep the bound plan as its study's own; the one it replaces stays beside it, under its digest."""
        path, content = self.study(plan.study) / "plan.json", plan.model_dump(mode="json")
        before = read_json(path) if path.exists() else None
        if before == content:
            return
        if before is not None:
            write_json(path.parent / "versions" / f"{digest(before)[:12]}.json", before)
        write_json(path, content)

    def link(self, study: str, curriculum: str, seed: int, phase: str, target: Path) -> None:
        """A readable name for an output: studies/<study>/<curriculum>/s<seed>/<nn>-<phase>."""
        folder = self._folder(self.study(study) / _safe(curriculum) / f"s{seed}")
        name = folder / _safe(phase)
        goal = os.path.relpath(target, folder)
        if name.is_symlink() and os.readlink(name) == goal:  # noqa: PTH115 - the text of the link is compared
            return
        fresh = folder / f".{name.name}.{os.getpid()}"
        # Where links are not allowed (some network volumes) the names are missed, the results are not.
        with contextlib.suppress(OSError):
            fresh.symlink_to(goal, target_is_directory=True)
            fresh.replace(name)

    def writable(self) -> None:
        """Raise before any work is done if nothing can be written here."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".probe-") as probe:
                probe.write(bytes(4096))
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            raise unwritable(self.root, error) from error

    def require_space(self, needed: int) -> None:
        """Raise if the volume has less room than a run is going to need."""
        if (free := shutil.disk_usage(self.root).free) < needed:
            raise RunError(
                f"{self.root} has {free / 1e6:,.0f} MB free and this run needs about {needed / 1e6:,.0f} MB",
                reason="no-space",
                help=_ROOM,
            )

    def objects(self) -> Iterator[tuple[str, str, Path]]:
        """Every object: kind, key and folder."""
        for folder in sorted((self.root / "objects").glob("*-*")):
            kind, _, key = folder.name.rpartition("-")
            yield kind, key, folder

    def _done(self, kind: str, key: str) -> dict[str, Any] | None:
        path = self.path(kind, key) / "DONE.json"
        return cast(dict[str, Any], read_json(path)) if path.exists() else None

    def _folder(self, path: Path) -> Path:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
        return path


@contextlib.contextmanager
def hold(folder: Path, what: str, *, wait: float = 0) -> Iterator[None]:
    """Hold a folder alone. The system's own lock ends with its process, so none is ever stale.

    `owner.json` beside it tells people who holds it; one left by a killed process means nothing.
    """
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=wait, poll_interval=_POLL_SECONDS)
    except Timeout:
        raise Locked(what, _owner(folder)) from None
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        owner = {"pid": os.getpid(), "boot": boot_id(), "host": platform.node(), "since": since}
        write_json(folder / "owner.json", owner)
        yield
    finally:
        (folder / "owner.json").unlink(missing_ok=True)
        lock.release()


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, whole or not at all."""
    write(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def write(path: Path, content: str | bytes) -> None:
    """Write whole or not at all: a new file beside it, fsync, replace. Its folder is made."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fresh.open("xb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except BaseException:  # Ctrl-C as well leaves nothing behind
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise unwritable(path, error) from error


def read_json(path: Path) -> Any:
    """The JSON in a file; a file that is not JSON is a RunError that names it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(
            f"{path} is damaged: {error}", reason="damaged", help="delete that file and run again"
        ) from error


def read_table(path: Path) -> dict[str, Any]:
    """The JSON table in a file; an empty one where there is no file."""
    return cast(dict[str, Any], read_json(path)) if path.exists() else {}


def sha256(path: Path) -> str:
    """The digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_plan(path: Path) -> Plan:
    """The plan in a file; anything else in it is a usage error that says what."""
    try:
        return Plan.model_validate_json(path.read_bytes())
    except OSError as error:
        help = "`procdsl run` leaves a study's plan.json in its store"
        raise UsageError(f"cannot read {path}: {error.strerror}", help=help) from error
    except ValidationError as error:
        help = "it is damaged, or another version of procdsl wrote it: run its study again"
        raise UsageError(f"{path} is not a plan: {error.errors()[0]['msg']}", help=help) from error


def unwritable(path: Path, error: OSError) -> RunError:
    """What a person should read when the store refuses a write."""
    reason, help = "unwritable", "make it writable, or name another place with --store"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        reason, help = "no-space", _ROOM
    return RunError(f"cannot write {path}: {error.strerror or error}", reason=reason, help=help)


def boot_id() -> str:
    """What tells this start of this machine from every other; empty where the system does not say."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _output(place: Path) -> Iterator[tuple[str, int]]:
    for path in place.rglob("*"):
        name = path.relative_to(place)
        known = name.parts[0] in _COMPANIONS or any(part.startswith(".") for part in name.parts)
        if path.is_file() and not known:
            yield name.as_posix(), path.stat().st_size


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _owner(folder: Path) -> dict[str, Any]:
    return read_table(folder / "owner.json")


def _safe(name: str) -> str:
    """A name that stays where it is put: no separators, no leading dot."""
    if not _NAME.fullmatch(name):
        raise RunError(f"{name!r} cannot name a folder", reason="name", help="use letters, digits, _ and -")
    return name
