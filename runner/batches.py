"""Rows to batches: what step s feeds is a pure function of (operation, s), made ahead by a thread.

Each feed counts its own rows; how many of them stand before step s, `runner.shares` settles. A batch holds
its feeds' rows in the operation's order. Nothing is consumed: a run that goes on at step s makes batch s.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from procdsl.errors import RunError
from procdsl.plan import Feed, GenerateOperation, Plan, PrepareOperation, TrainOperation, Vocabulary
from procdsl.programs.base import SplitName
from runner.corpora import Corpus, open_corpus
from runner.devices import World, makes_rows, rows_at_once
from runner.execution import Execution
from runner.shares import row_counts
from runner.sources import source
from runner.store import Store

Ids = NDArray[np.int32]
Flags = NDArray[np.uint8]
AHEAD = 4


class Rows(Protocol):
    """A source as a phase reads it: rows by number, in the phase's ids."""

    def fill(self, start: int, ids: Ids, scored: Flags) -> None:
        """Write rows start .. start + len(ids) - 1, each of context + 1 ids (or frames) and flags."""


@dataclass(frozen=True)
class TextRows:
    """Rows of a corpus' training stream in the reading order of a data seed."""

    corpus: Corpus
    data_seed: int
    offset: int

    def fill(self, start: int, ids: Ids, scored: Flags) -> None:
        context = ids.shape[1] - 1
        numbers = np.arange(start, start + len(ids), dtype=np.int64)
        indices = self.corpus.order(self.data_seed, numbers, context, self.offset)
        self.corpus.rows("train", indices=indices, context=context, offset=self.offset, out=ids)
        self.corpus.score(ids, scored)


@dataclass(frozen=True)
class HeldOutText:
    """The first rows of a corpus' validation stream, as they stand."""

    corpus: Corpus

    def fill(self, start: int, ids: Ids, scored: Flags) -> None:
        indices = np.arange(start, start + len(ids), dtype=np.int64)
        self.corpus.rows("validation", indices=indices, context=ids.shape[1] - 1, offset=0, out=ids)
        self.corpus.score(ids, scored)


@dataclass(frozen=True)
class GeneratedRows:
    """Rows of a generator, spelt in the phase's ids; beyond the generator's own context stands padding.

    Where positions are frames, the id of a cell is whether it is 1, and padding is a frame of zeros. Rows
    are made on the `device`, if one is given.
    """

    operation: GenerateOperation
    data_seed: int
    split: SplitName
    offset: int
    phase_id: Ids
    padding: int
    device: torch.device | None = None

    def fill(self, start: int, ids: Ids, scored: Flags) -> None:
        from runner.device_rows import fill

        width = self.operation.context + 1
        local = np.empty((len(ids), self.operation.row), np.int32)
        flags = np.empty(local.shape, np.uint8)
        fill(
            self.operation,
            seed=self.data_seed,
            split=self.split,
            start=self.offset + start,
            ids=local,
            scored=flags,
            device=self.device,
        )
        # A frame is asked for as a whole or not at all.
        frames, first = ids[:, :width].shape, max(self.operation.cells, 1)
        ids[:, :width], ids[:, width:] = self.phase_id[local].reshape(frames), self.padding
        scored[:, :width], scored[:, width:] = flags[:, ::first], 0


def generated(
    operation: GenerateOperation,
    vocabulary: Vocabulary,
    *,
    data_seed: int,
    split: SplitName,
    offset: int = 0,
    device: torch.device | None = None,
) -> GeneratedRows:
    """A generator's rows in a phase's vocabulary: equal spelling is one token."""
    if operation.cells:
        is_one = np.array([spelling == "1" for spelling in operation.tokens], np.int32)
        return GeneratedRows(operation, data_seed, split, offset, is_one, 0, device)
    phase_id = phase_ids(operation, vocabulary)
    pads = [vocabulary.text_size + i for i, spelling in enumerate(vocabulary.tokens) if spelling == "<pad>"]
    padding = pads[0] if pads else int(phase_id[0])
    return GeneratedRows(operation, data_seed, split, offset, phase_id, padding, device)


def phase_ids(operation: GenerateOperation, vocabulary: Vocabulary) -> Ids:
    """The phase's id of each of a generator's own."""
    place = {spelling: vocabulary.text_size + i for i, spelling in enumerate(vocabulary.tokens)}
    return np.array([place[spelling] for spelling in operation.tokens], np.int32)


def empty(rows: int, context: int, cells: int) -> tuple[Ids, Flags]:
    """Room for rows of context + 1 ids, or frames of so many cells, and for their flags."""
    frames = (rows, context + 1, *((cells,) if cells else ()))
    return np.empty(frames, np.int32), np.empty(frames[:2], np.uint8)


def open_corpora(plan: Plan, ids: Sequence[str], store: Store) -> dict[str, Corpus]:
    """The prepared corpora among some operations, by id."""
    return {
        id: open_corpus(store.path("prepare", plan.key(id)))
        for id in ids
        if isinstance(plan.by_id[id], PrepareOperation)
    }


def maker(
    plan: Plan,
    operation: TrainOperation,
    store: Store,
    execution: Execution,
    device: torch.device,
    world: World,
    counts: NDArray[np.int64] | None = None,
) -> Batches:
    """The batches of a phase, whose `counts` say how many rows of each feed stand before each step."""
    corpora = open_corpora(plan, operation.inputs(), store)
    return Batches(
        rows=[
            _feed(operation, feed, source(plan, feed.source, store), corpora, execution, device)
            for feed in operation.feeds
        ],
        counts=planned(operation) if counts is None else counts,
        context=operation.context,
        cells=operation.vocabulary.cells,
        part_rows=rows_at_once(plan, operation, execution, world),
        pin=device.type == "cuda",
        rank=world.rank,
        world=world.size,
    )


def planned(operation: TrainOperation) -> NDArray[np.int64]:
    """The rows of each feed before each step, as far as the plan knows."""
    return np.array([*row_counts(operation.stages, operation.batch_rows)], np.int64)


def names(plan: Plan, operation: TrainOperation) -> list[str]:
    """The names of a phase's feeds, in order."""
    sources = (plan.by_id[feed.source] for feed in operation.feeds)
    return [source.name for source in sources if isinstance(source, PrepareOperation | GenerateOperation)]


def _feed(
    operation: TrainOperation,
    feed: Feed,
    source: PrepareOperation | GenerateOperation,
    corpora: Mapping[str, Corpus],
    execution: Execution,
    device: torch.device,
) -> Rows:
    if isinstance(source, PrepareOperation):
        return TextRows(corpora[feed.source], operation.data_seed, feed.offset)
    return generated(
        source,
        operation.vocabulary,
        data_seed=operation.data_seed,
        split="train",
        offset=feed.offset,
        device=makes_rows(source, execution, device),
    )


@dataclass(frozen=True)
class Part:
    """Some rows of a batch, as long as their last scored target: B × T ids, and where the loss is.

    Where positions are frames of W cells, ids are B × T × W and targets N × W, each 0 or 1.
    `chosen_N` are the scored positions in the flattened hidden states, None when all of them are. Those
    states are B × T, or B × S where `queries_BS` names the only positions of the last block that matter.
    """

    ids_BT: Tensor
    queries_BS: Tensor | None
    chosen_N: Tensor | None
    targets_N: Tensor
    feed_N: Tensor

    def to(self, device: torch.device) -> Part:
        """The part on a device; from pinned memory, without waiting for it."""
        if device.type == "cpu":
            return self
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> Part:
        return self._each(Tensor.pin_memory)

    def _each(self, move: Callable[[Tensor], Tensor]) -> Part:
        moved = (None if tensor is None else move(tensor) for tensor in vars(self).values())
        return Part(*moved)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Batch:
    """One step's rows in parts small enough to be fed at once.

    `rows` and `targets` count each feed's rows and scored targets in the whole batch, `parts` hold a rank's.
    """

    step: int
    rows: tuple[int, ...]
    targets: tuple[int, ...]
    parts: tuple[Part, ...]

    @property
    def scored(self) -> int:
        return sum(self.targets)


@dataclass(frozen=True)
class Batches:
    """All batches of a phase: `make(step)`. A rank of several makes the same rows and keeps its own."""

    rows: Sequence[Rows]
    counts: NDArray[np.int64]
    context: int
    part_rows: int
    cells: int = 0
    pin: bool = False
    rank: int = 0
    world: int = 1

    def make(self, step: int) -> Batch:
        taken = self.counts[step + 1] - self.counts[step]
        ids, scored = self._fill(self.counts[step], taken)
        feed = np.repeat(np.arange(len(taken), dtype=np.uint8), taken)
        targets = np.bincount(feed, np.count_nonzero(scored[:, 1:], axis=1), len(taken)).astype(np.int64)
        if not targets.any():
            raise RunError(f"the batch of step {step:,} has no scored token", reason="data")
        mine = slice(len(ids) * self.rank // self.world, len(ids) * (self.rank + 1) // self.world)
        made = parts(ids[mine], scored[mine], feed[mine], self.part_rows)
        if self.pin:
            made = tuple(part.pinned() for part in made)
        return Batch(step, tuple(taken.tolist()), tuple(targets.tolist()), made)

    def _fill(self, before: NDArray[np.int64], taken: NDArray[np.int64]) -> tuple[Ids, Flags]:
        ids, scored = empty(int(taken.sum()), self.context, self.cells)
        first = 0
        for rows, start, count in zip(self.rows, before.tolist(), taken.tolist(), strict=True):
            if count:
                rows.fill(start, ids[first : first + count], scored[first : first + count])
            first += count
        return ids, scored


def parts(ids: Ids, scored: Flags, feed: NDArray[Any], part_rows: int) -> tuple[Part, ...]:
    """Rows to parts of at most `part_rows`, short rows together so that little padding is fed."""
    flags = scored[:, 1:] != 0
    length = np.where(flags.any(axis=1), flags.shape[1] - np.argmax(flags[:, ::-1], axis=1), 0)
    order = np.argsort(length, kind="stable")
    order = order[length[order] > 0]
    chunks = (order[first : first + part_rows] for first in range(0, len(order), part_rows))
    return tuple(_part(ids[some], flags[some], feed[some], int(length[some[-1]])) for some in chunks)


def _part(ids: Ids, flags: NDArray[np.bool_], feed: NDArray[Any], T: int) -> Part:
    flags = flags[:, :T]
    count = flags.sum(axis=1)
    most = int(count.max())
    queries = chosen = None
    if most * 2 <= T:
        # The scored positions of each row first, in order; what fills up the shorter rows is not chosen.
        queries = np.argsort(~flags, axis=1, kind="stable")[:, :most]
        chosen = np.flatnonzero(np.take_along_axis(flags, queries, axis=1))
    elif not flags.all():
        chosen = np.flatnonzero(flags)
    return Part(
        ids_BT=torch.from_numpy(np.ascontiguousarray(ids[:, :T])),
        queries_BS=None if queries is None else torch.from_numpy(queries),
        chosen_N=None if chosen is None else torch.from_numpy(chosen),
        targets_N=torch.from_numpy(ids[:, 1 : T + 1][flags].astype(np.int64)),
        feed_N=torch.from_numpy(np.repeat(feed, count)),
    )


class Ahead:
    """Things made in order by a thread, a few of them ahead of who takes them. Leaving the block ends it.

    None is made at or behind the number that `until` says, which may be another one whenever one is taken.
    """

    def __init__(
        self,
        make: Callable[[int], Any],
        numbers: range,
        *,
        ahead: int = AHEAD,
        until: Callable[[], int] = lambda: sys.maxsize,
    ) -> None:
        self._make, self._until, self._ahead = make, until, ahead
        self._next, self._end = numbers.start, numbers.stop
        self._pending: deque[Future[Any]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")

    def __enter__(self) -> Iterator[Any]:
        self._fill()
        return self._take()

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _take(self) -> Iterator[Any]:
        while True:
            self._fill()
            if not self._pending:
                return
            made = self._pending.popleft().result()
            self._fill()
            yield made

    def _fill(self) -> None:
        while len(self._pending) < self._ahead and self._next < min(self._end, self._until()):
            self._pending.append(self._thread.submit(self._make, self._next))
            self._next += 1
