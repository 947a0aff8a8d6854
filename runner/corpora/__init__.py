"""Text as rows of token ids: prepared once into shards, verified when opened, read by index.

`prepare` carries out a plan's prepare operation; `open_corpus` gives its rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from procdsl.errors import RunError
from procdsl.plan import CharactersTokenizer, PrepareOperation
from runner.corpora import shards, tokenizers
from runner.corpora.documents import SPLITS, Split
from runner.corpora.order import order
from runner.corpora.shards import Manifest
from runner.events import Observer

# Shards whose hashes this process has checked: (path, bytes, sha256).
_checked: set[tuple[Path, int, str]] = set()


def prepare(
    operation: PrepareOperation, place: Path, *, text: Path | None = None, observe: Observer
) -> dict[str, Any]:
    """Make the shards of a bound corpus, or make them longer; the facts that say what they are.

    `text` is where the corpus lies of whose tokens it is made, if it is.
    """
    manifest = shards.write(operation, place, text=open_corpus(text) if text else None, observe=observe)
    np.save(place / ".token_bytes.npy", tokenizers.make(manifest.binding.tokenizer, place).token_bytes)
    (place / ".token_bytes.npy").replace(place / "token_bytes.npy")
    _require(operation, manifest)
    return facts(manifest)


def ready(operation: PrepareOperation, facts: dict[str, Any]) -> bool:
    """Whether a corpus prepared before, as its facts tell, holds all that this plan needs."""
    train, validation = facts["train_tokens"], facts["validation_tokens"]
    if facts["complete"]:
        train *= operation.max_epochs
        return bool(train >= operation.train_tokens and validation >= operation.validation_tokens)
    needed = operation.train_tokens + operation.spare_tokens
    return bool(train >= needed and validation >= operation.validation_tokens)


def facts(manifest: Manifest) -> dict[str, Any]:
    """A prepared corpus in a few flat facts."""
    train, validation = manifest.train, manifest.validation
    return {
        "name": manifest.name,
        "source": manifest.binding.source.model_dump(mode="json"),
        "revision": manifest.binding.revision,
        "digest": manifest.binding.digest,
        "fallback": manifest.binding.fallback,
        "tokenizer": manifest.binding.tokenizer.model_dump(mode="json"),
        "tokenizer_sha256": manifest.tokenizer_sha256,
        "train_tokens": train.tokens,
        "train_documents": train.documents,
        "train_bytes": train.text_bytes,
        "validation_tokens": validation.tokens,
        "validation_documents": validation.documents,
        "validation_bytes": validation.text_bytes,
        "complete": manifest.complete,
    }


def open_corpus(place: Path) -> Corpus:
    """The corpus prepared in a folder; a RunError naming the file if any of it is not what was prepared."""
    manifest = shards.read_manifest(place)
    if manifest is None:
        missing = place / shards.MANIFEST
        raise RunError(f"{missing} is missing", reason="damaged", help="run again to prepare it")
    for split in SPLITS:
        shard = manifest.shard(split)
        mark = (place / shard.file, shard.bytes, shard.sha256)
        shards.verify(place / shard.file, shard, whole=mark not in _checked)
        _checked.add(mark)
    return Corpus(place, manifest)


class Corpus:
    """Rows of a prepared corpus. Row i of a reading with context T is the T + 1 ids from offset + i·T on."""

    def __init__(self, place: Path, manifest: Manifest) -> None:
        self.name = manifest.name
        self.place = place
        self.text_size = manifest.text_size
        self.separator = manifest.separator
        self.train_tokens = manifest.train.tokens
        self.validation_tokens = manifest.validation.tokens
        self.complete = manifest.complete
        self.digest = manifest.binding.digest
        self.problems = isinstance(manifest.binding.tokenizer, CharactersTokenizer)
        self.token_bytes: NDArray[np.int64] = np.load(place / "token_bytes.npy", allow_pickle=False)
        self._ids = {split: _mapped(place, manifest, split) for split in SPLITS}

    def rows(
        self, split: Split, *, indices: NDArray[np.int64], context: int, offset: int, out: NDArray[np.int32]
    ) -> None:
        """Write the rows of these indices into `out`, of shape (len(indices), context + 1)."""
        ids = self._ids[split]
        starts = offset + indices * context
        if len(starts) and (starts.min() < 0 or starts.max() + context >= len(ids)):
            raise RunError(
                f"corpus {self.name}: its {split} part has {len(ids):,} tokens, and a row ends at "
                f"{int(starts.max()) + context + 1:,}",
                reason="data",
                help="measure on fewer rows, or give the part more text (megabytes, validation_share)",
            )
        out[:] = np.lib.stride_tricks.sliding_window_view(ids, context + 1)[starts]

    def ids(self, split: Split) -> NDArray[Any]:
        """All tokens of a part, each document's separator behind it."""
        return self._ids[split]

    def counts(self, tokens: int) -> NDArray[np.int64]:
        """How often each id is among the first so many for training, separators left out."""
        found = np.bincount(self._ids["train"][:tokens], minlength=self.text_size)
        if not self.problems:
            found[self.separator] = 0
        return found

    def score(self, ids: NDArray[np.int32], scored: NDArray[np.uint8]) -> None:
        """Mark what is scored of rows: of problems, answers; of text, all."""
        scored[:] = tokenizers.scored(ids) if self.problems else 1

    def pass_rows(self, context: int, offset: int) -> int | None:
        """How many rows one pass from `offset` to the end has; None where the end is not prepared."""
        return max(1, (self.train_tokens - 1 - offset) // context) if self.complete else None

    def order(
        self, data_seed: int, numbers: NDArray[np.int64], context: int, offset: int
    ) -> NDArray[np.int64]:
        """The index of the train row that is read as number v, for each v."""
        rows = self.pass_rows(context, offset)
        return order(numbers, data_seed=data_seed, name=self.name, rows=rows)


def _mapped(place: Path, manifest: Manifest, split: Split) -> NDArray[Any]:
    shard = manifest.shard(split)
    if not shard.tokens:
        return np.zeros(0, dtype=manifest.dtype)
    return np.memmap(place / shard.file, dtype=manifest.dtype, mode="r", shape=(shard.tokens,))


def tokenizer(place: Path) -> tokenizers.Tokenizer:
    """The tokenizer of the corpus prepared in a folder."""
    manifest = shards.read_manifest(place)
    assert manifest is not None, f"{place} holds no corpus"
    return tokenizers.make(manifest.binding.tokenizer, place)


def _require(operation: PrepareOperation, manifest: Manifest) -> None:
    """Raise if a corpus that has ended is too short for the passes a plan may make over it."""
    there, needed = manifest.train.tokens, operation.train_tokens
    if needed > there * operation.max_epochs:
        passes = needed / there if there else float("inf")
        raise RunError(
            f"corpus {operation.name} has {there:,} train tokens; the study reads {needed:,}, "
            f"{passes:.2f} passes over it, and max_epochs is {operation.max_epochs:g}",
            reason="data",
            help="raise max_epochs, give the corpus more text (megabytes, files), or take a smaller budget",
        )
    if manifest.validation.tokens < operation.validation_tokens:
        raise RunError(
            f"corpus {operation.name} has {manifest.validation.tokens:,} validation tokens in "
            f"{manifest.validation.documents:,} documents; evaluations read {operation.validation_tokens:,}",
            reason="data",
            help="raise validation_share, give the corpus more text, or measure on fewer rows",
        )
