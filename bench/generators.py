"""How fast rows are made, with their scores and split hashes, on one core; memory fill and bare draws beside.

    python bench/generators.py

Seconds are the processor's, whoever else uses the machine; but they share its caches and its memory, so
ratios of one run mean more than the numbers. "Useful" are the symbols that a row holds, padding left out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from procdsl.grammars.dyck import Dyck
from procdsl.grammars.expr import Expr
from procdsl.grammars.iid import Iid
from procdsl.grammars.shuffle_dyck import ShuffleDyck
from procdsl.grammars.task import Task
from procdsl.language.sources.ngram import Ngram
from procdsl.language.sources.shuffled import Shuffled
from procdsl.plan import GenerateOperation
from runner.generators import fill
from runner.generators.compiling import kernel
from runner.generators.philox import begin, new_draws, slots

SECONDS = 0.6
ROWS = 128
_CALLS = 40
PACKED: Any = {"uniform": (32, 512)}


def made(name: str, source: Any, context: int) -> GenerateOperation:
    """The rows of a grammar or source."""
    return GenerateOperation(
        id=name, name=name, program=source.program(), length=1, context=context, tokens=source.tokens()
    )


def cases() -> dict[str, GenerateOperation]:
    """The built-in kinds at the sizes of published studies."""
    dyck = Dyck(k=64, length=2048)
    task = {"input": "uniform(sym, length=64)", "symbols": {"sym": 99}}
    two = {"a": "uniform(sym, length=32)", "b": "uniform(sym, length=32)"}
    part = {"kind": "cfg", "length": 2}
    parts = {
        "round": {**part, "rules": 'S -> "(" S ")" S [0.3] | ε [0.7]'},
        "square": {**part, "rules": 'S -> "[" S "]" S [0.4] | ε [0.6]'},
    }
    turns = {"expr": "shuffle(round, square)", "grammars": parts, "length": 2048}
    with_one = {"a": "uniform(sym, length=64)", "b": "choice(a)"}
    sources = {
        "dyck": dyck,
        "dyck depth 16": Dyck(k=64, depth=16, length=2048),
        "dyck process": Dyck(k=64, measure="process", p_open=0.49, length=2048),
        "dyck packed 32..512": Dyck.model_validate({"k": 64, "length": PACKED}),
        "shuffle_dyck": ShuffleDyck(k=64, length=2048),
        "shuffle_dyck depth 8": ShuffleDyck(k=64, depth=8, length=2048),
        "shuffle_dyck process": ShuffleDyck(k=64, depth=16, measure="process", length=2048),
        "iid": Iid(symbols=128, length=2048),
        "iid zipf": Iid(symbols=128, weights="zipf(1.0)", length=2048),
        "interleaved": Expr.model_validate(turns),
        "shuffled dyck": Shuffled(of="dyck").over({"of": dyck}),
        "ngram 3 of dyck": Ngram(of="dyck", order=3, rows=64).over({"of": dyck}),
        "task identity": Task.model_validate({**task, "output": "input"}),
        "task sort": Task.model_validate({**task, "output": "input | sort"}),
        "task unique": Task.model_validate({**task, "output": "input | unique"}),
        "task union": Task.model_validate({**task, "input": two, "output": "union(a, b)"}),
        "task delete": Task.model_validate({**task, "input": with_one, "output": "delete_first(a, b)"}),
    }
    return {
        name: made(name, source, source.longest() if name.startswith("task") else 2048)
        for name, source in sources.items()
    }


def rate(work: Callable[[int], int]) -> float:
    """Symbols a second of calls that return how many they made; the best of three stretches."""
    best = 0.0
    for _ in range(3):
        done, start, call = 0, time.process_time(), 0
        while time.process_time() - start < SECONDS / 3:
            done += work(call)
            call += 1
        best = max(best, done / (time.process_time() - start))
    return best


def rows_of(operation: GenerateOperation) -> tuple[float, float]:
    """Useful symbols a second, and the seconds until the first rows are there."""
    width = operation.context + 1
    ids, scored = np.empty((ROWS, width), np.int32), np.empty((ROWS, width), np.uint8)

    def work(call: int) -> int:
        fill(operation, seed=0, split="train", start=call * ROWS, ids=ids, scored=scored)
        return ids.size

    begun = time.process_time()
    work(0)
    first = time.process_time() - begun
    return float((ids != len(operation.tokens) - 1).mean()) * rate(work), first


@kernel
def _drawn(draws, start):
    """The words of a stream for each row of a call."""
    for row in range(ROWS):
        begin(draws, 1, start + row, 0)
        slots(draws, 2048)


def side_by_side(operation: GenerateOperation, threads: int) -> float:
    """Symbols a second, by the clock on the wall, of so many threads at once."""

    def work(thread: int) -> None:
        ids = np.empty((ROWS, operation.context + 1), np.int32)
        for call in range(_CALLS):
            start = (thread * _CALLS + call) * ROWS
            fill(operation, seed=0, split="train", start=start, ids=ids, scored=np.empty(ids.shape, np.uint8))

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return threads * _CALLS * ROWS * (operation.context + 1) / (time.perf_counter() - begun)


def main() -> None:
    """Prints one line a kind."""
    ids, scored, draws = np.empty((ROWS, 2049), np.int32), np.empty((ROWS, 2049), np.uint8), new_draws(2048)

    def memory(call: int) -> int:
        ids.fill(call)
        scored.fill(1)
        return ids.size

    def bare(call: int) -> int:
        _drawn(draws, call * ROWS)
        return ROWS * 2048

    fastest = rate(memory)
    sys.stdout.write(
        f"{'memory fill':24}{fastest / 1e6:9.1f} M/s\n{'bare draws':24}{rate(bare) / 1e6:9.1f} M/s\n"
    )
    for name, operation in cases().items():
        useful, first = rows_of(operation)
        ratio = f"{useful / fastest:8.3f} of memory"
        sys.stdout.write(f"{name:24}{useful / 1e6:9.1f} M/s{ratio}   first rows {first:6.2f} s\n")
    dyck = cases()["dyck"]
    one, two = (max(side_by_side(dyck, threads) for _ in range(3)) for threads in (1, 2))
    sys.stdout.write(f"{'dyck, two threads':24}{two / 1e6:9.1f} M/s{two / one:8.2f} of one thread\n")


if __name__ == "__main__":
    main()
