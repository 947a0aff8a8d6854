"""Golden rows of every kind: a row that changes under the same fields is a change of meaning.

``python -m tests.grammars.test_samples`` writes them anew; read the difference, and raise `semantics` in the
operations that hold the program, before committing it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from procdsl import generate
from procdsl.language.sources.ngram import Ngram
from procdsl.language.sources.shuffled import Shuffled
from procdsl.plan import GenerateOperation
from tests.grammars.examples import EXAMPLES, operation, read

FOLDER = Path(__file__).parent.parent / "samples"


def _over(source: Any) -> GenerateOperation:
    inner = read('kind = "dyck"\nk = 3\nlength = { uniform = [10, 20] }')
    made = operation(inner)
    return made.model_copy(update={"program": source.over({"of": inner}).program(), "name": "control"})


SHUFFLE = """
kind = "expr"
expr = "shuffle(round, palindromes)"
length = { uniform = [4, 30] }
[grammars.round]
kind = "cfg"
rules = 'S -> "(" S ")" S | ε'
length = 2
[grammars.palindromes]
kind = "cfg"
rules = 'S -> "a" S "a" | "b" S "b" | "c"'
length = 3
"""
OPERATIONS = {name: operation(grammar) for name, grammar in EXAMPLES.items()} | {
    "expr_shuffle": operation(read(SHUFFLE)),
    "source_ngram": _over(Ngram(of="x", order=2, rows=8)),
    "source_shuffled": _over(Shuffled(of="x")),
}


def written(made: GenerateOperation) -> str:
    """Two rows of each part, spelt."""
    lines = list[str]()
    for split in ("train", "validation", "test"):
        rows, _ = generate.rows(made, seed=0, split=split, start=0, count=2)
        lines += [f"{split}: {' '.join(made.tokens[id] for id in row)}" for row in rows]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", OPERATIONS)
def test_rows_are_what_they_were(name: str) -> None:
    assert written(OPERATIONS[name]) == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, made in OPERATIONS.items():
        (FOLDER / f"{name}.txt").write_text(written(made), encoding="utf-8")
