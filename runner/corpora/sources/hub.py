"""Text and tokenizers from the Hugging Face Hub, or from a local folder in the layout of one of its datasets.

A dataset is streamed in its published order at a fixed commit. Whether the Hub can be reached is known
within seconds: stock `load_dataset` without a network takes 24 s to say so, `AutoTokenizer` 48 s.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, cast

from procdsl.errors import RunError
from procdsl.plan import HubTokenizer
from procdsl.plan.sources.hub import HubSource
from runner.corpora.sources import Pinned, Reading, Unreachable, files

T = TypeVar("T")

# Seconds until a source that does not answer counts as unreachable.
PATIENCE = 5.0
# The branch with the files that the Hub converts datasets to.
_CONVERTED = "refs/convert/parquet"


def pin(source: HubSource, *, offline: bool) -> Pinned:
    """Settle the commit that a dataset's revision stands for."""
    if Path(source.path).is_dir():
        return _pin_folder(source)
    revision = commit(source.path, source.revision, offline=offline)
    pinned = source.model_copy(update={"revision": revision})
    return Pinned(pinned, revision, _digest(pinned, revision))


def commit(path: str, revision: str | None, *, offline: bool) -> str:
    """The commit that a dataset's revision stands for."""
    from huggingface_hub import HfApi

    def ask() -> str:
        return str(HfApi().dataset_info(path, revision=revision, timeout=PATIENCE).sha)

    return _asked(f"dataset {path}", ask, offline=offline)


def folder(path: str, revision: str, patterns: list[str]) -> Path:
    """The files of a dataset that match, from the local cache or the Hub."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(path, repo_type="dataset", revision=revision, allow_patterns=patterns))
    except _network_errors() as error:
        raise Unreachable(f"dataset {path} cannot be fetched: {_said(error)}") from error


def open(source: HubSource, *, digest: str, cursor: dict[str, Any] | None) -> Reading:
    """The documents of a pinned dataset, streamed."""
    folder = Path(source.path).is_dir()
    found = _pin_folder(source).digest if folder else _digest(source, str(source.revision))
    if found != digest:
        raise files.changed(f"the files of {source.path}", found, digest)
    dataset = _loaded(source)
    if cursor is not None and cursor["state"] is not None:
        dataset.load_state_dict(cursor["state"])
    return Reading(_texts(dataset, source, cursor), cursor=cursor, state=dataset.state_dict)


def pin_tokenizer(tokenizer: HubTokenizer, *, offline: bool) -> HubTokenizer:
    """Settle the commit that a tokenizer's revision stands for."""
    from huggingface_hub import HfApi

    revision = _asked(
        f"tokenizer {tokenizer.name}",
        lambda: HfApi().model_info(tokenizer.name, revision=tokenizer.revision, timeout=PATIENCE).sha,
        offline=offline,
    )
    return tokenizer.model_copy(update={"revision": revision})


def tokenizer_files(tokenizer: HubTokenizer) -> tuple[bytes, bytes]:
    """A tokenizer's JSON and its settings, from the local cache or the Hub."""
    from huggingface_hub import hf_hub_download

    def download(name: str) -> bytes:
        return Path(hf_hub_download(tokenizer.name, name, revision=tokenizer.revision)).read_bytes()

    try:
        return download("tokenizer.json"), download("tokenizer_config.json")
    except _network_errors() as error:
        raise Unreachable(f"tokenizer {tokenizer.name} cannot be fetched: {_said(error)}") from error


def _asked(what: str, ask: Callable[[], T], *, offline: bool) -> T:
    """The Hub's answer within `PATIENCE` seconds, name look-up included, or `Unreachable`.

    That the Hub has no such thing is an answer: a misspelt name must not end in a fallback.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    if offline or constants.HF_HUB_OFFLINE:
        why = "--offline" if offline else "HF_HUB_OFFLINE is set"
        raise Unreachable(f"{what} is on the Hugging Face Hub, and this run stays offline ({why})")
    answers: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(ask())
        except _network_errors() as error:
            errors.append(error)

    # A look-up that hangs cannot be interrupted; a thread that nobody waits for can be left behind.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if answers:
        return answers[0]
    if errors and isinstance(errors[0], RepositoryNotFoundError | RevisionNotFoundError):
        help = "mend its name or revision; for a gated one, log in with `hf auth login`"
        raise RunError(f"{constants.ENDPOINT} has no {what} for us", reason="data", help=help) from errors[0]
    why = _said(errors[0]) if errors else f"no answer within {PATIENCE:g} s"
    raise Unreachable(f"{what} cannot be reached at {constants.ENDPOINT}: {why}")


def _loaded(source: HubSource) -> Any:
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    import datasets

    try:
        return datasets.load_dataset(
            source.path, source.config, split=source.split, revision=source.revision, streaming=True
        )
    except _reading_errors() as error:
        raise Unreachable(f"dataset {source.path} cannot be opened: {_said(error)}") from error
    except (ValueError, RuntimeError) as error:
        # No such configuration or split, and which there are; or a script, which the library runs no more.
        said = " ".join(str(error).split("Example of usage")[0].split())
        scripted = "scripts are no longer supported" in said
        help = f'revision = "{_CONVERTED}" has what the Hub made of it' if scripted else "name one of these"
        raise RunError(f"dataset {source.path} cannot be opened: {said}", reason="data", help=help) from error


def _texts(dataset: Any, source: HubSource, cursor: dict[str, Any] | None) -> Iterator[str]:
    skipped = cursor["documents"] - cursor["skip"] if cursor else 0
    left = None if source.documents is None else max(0, source.documents - skipped)
    number = skipped
    # Named before they can occur: a generator that is dropped at exit can import nothing any more.
    errors = _reading_errors()
    try:
        for number, row in enumerate(islice(dataset, left), start=skipped + 1):
            text = row.get(source.column)
            if not isinstance(text, str):
                raise RunError(
                    f"{source.path}: document {number:,} has no text in column {source.column!r} "
                    f"(columns: {', '.join(row)})",
                    reason="data",
                    help="name the right column",
                )
            yield text
    except errors as error:
        raise RunError(
            f"{source.path}: reading stopped after document {number:,}: {_said(error)}",
            reason="data",
            help="run again: what was read is kept, and reading goes on from there",
        ) from error


def _pin_folder(source: HubSource) -> Pinned:
    paths = sorted(path for path in Path(source.path).rglob("*") if path.is_file() and path.name[0] != ".")
    inventory = files.inventory(map(str, paths))
    digest = _digest(source, files.digest(inventory))
    pinned = source.model_copy(update={"revision": None})
    return Pinned(pinned, f"{len(paths)} files", digest, inventory)


def _digest(source: HubSource, revision: str) -> str:
    path = Path(source.path).name if Path(source.path).is_dir() else source.path
    address = [path, source.config, source.split, source.column, source.documents, revision]
    return hashlib.sha256(json.dumps(address).encode()).hexdigest()


def _reading_errors() -> tuple[type[Exception], ...]:
    from datasets.exceptions import DatasetsError
    from pyarrow import ArrowException

    return (*_network_errors(), EOFError, zlib.error, DatasetsError, cast(type[Exception], ArrowException))


def _network_errors() -> tuple[type[Exception], ...]:
    """What the Hub's client raises: the errors of its HTTP library are no OSError."""
    import huggingface_hub.utils
    from huggingface_hub.errors import HfHubHTTPError

    # httpx in one release of the client, httpx2 or requests in others: the errors of the one in use.
    session = huggingface_hub.utils.get_session()  # type: ignore[attr-defined]
    http = import_module(type(session).__module__.partition(".")[0]).HTTPError
    return (OSError, cast(type[Exception], http), HfHubHTTPError)


def _said(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or ["no message"]
    return f"{type(error).__name__}: {lines[0]}"
