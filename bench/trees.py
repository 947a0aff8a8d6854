"""How fast written rules make rows, on one core, and what their tables cost at full length.

python -m bench trees
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from procdsl.grammars.cfg import Cfg
from procdsl.grammars.mcfg import Mcfg
from procdsl.plan import GenerateOperation
from runner.generators import fill
from runner.generators.tree import prepare

ROWS, ROUNDS = 200, 3
ARITHMETIC = """E -> E "+" T [0.4] | T [0.6]
T -> T "*" F [0.3] | F [0.7]
F -> "(" E ")" [0.3] | digit [0.7]"""
JSON = """Value -> "{" (Pair ("," Pair)*@0.5)? "}" [0.25] | "[" (Value ("," Value)*@0.5)? "]" [0.20]
       | num [0.35] | str [0.20]
Pair  -> str ":" Value"""
COPY = """S -> W { $1.1 $1.2 }
W -> W { x[i] $1.1 , x[i] $1.2 } | { ε , ε }"""


def thousands(count: int) -> str:
    """Rules over a hundred nonterminals, a tenth of them with two children."""
    rules = []
    for a in range(100):
        ends = [((7 * a + j + 1) % 100, (31 * a + 11 * j + 3) % 100) for j in range(count // 1000)]
        pairs = [f"N{one} N{other} [0.03]" for one, other in ends]
        words = [f'"w{a}_{j}" [0.01]' for j in range(count // 100 - len(pairs))]
        rules.append(f"N{a} -> {' | '.join(pairs + words)}")
    return "\n".join(rules)


def cases() -> dict[str, Any]:
    """Grammars at the lengths of published studies."""
    dyck = {"rules": "S -> open[i] S close[i] S [p] | ε [1-p]", "tokens": {"open": 64, "close": 64}}
    return {
        "64-Dyck": Cfg.model_validate({**dyck, "p": 0.49, "length": 2048}),
        "arithmetic": Cfg.model_validate({"rules": ARITHMETIC, "tokens": {"digit": 10}, "length": 2047}),
        "json": Cfg.model_validate({"rules": JSON, "tokens": {"num": 16, "str": 16}, "length": 2047}),
        "copy": Mcfg.model_validate({"rules": COPY, "tokens": {"x": 64}, "length": 2048}),
        "1,000 rules": Cfg.model_validate({"rules": thousands(1_000), "length": 512}),
        "10,000 rules": Cfg.model_validate({"rules": thousands(10_000), "length": 2048}),
    }


def main() -> None:
    """One line a grammar, in processor time: reading its rules, its tables, its first row, the others."""
    rows_of(Cfg.model_validate({"rules": ARITHMETIC, "tokens": {"digit": 10}, "length": 7}))
    for name, grammar in cases().items():
        read, built, size, first, rate = rows_of(grammar)
        costs = f"read {read:6.2f} s   tables {built:6.2f} s {size:7.1f} MB   first row {first:6.2f} s"
        sys.stdout.write(f"{name:14} {costs}   {rate:6.1f} M symbols/s\n")


def rows_of(grammar: Any) -> tuple[float, float, float, float, float]:
    """Seconds of reading and of tables, MB of these, seconds until there is a row, M symbols/s of the others.

    The first row takes reading and tables too, and compiling where no grammar had a row before.
    """
    begin = time.process_time()
    program, n = grammar.program(), grammar.longest()
    read = time.process_time() - begin
    made = GenerateOperation(
        id="row", name="row", program=program, length=n, context=n, tokens=grammar.tokens()
    )
    ids, scored = np.zeros((ROWS, n + 1), np.int32), np.zeros((ROWS, n + 1), np.uint8)
    fill(made, seed=0, split="train", start=0, ids=ids[:1], scored=scored[:1])
    first = time.process_time() - begin
    begin = time.process_time()
    tables = prepare(program).tables
    built, best = time.process_time() - begin, float("inf")
    for part in range(ROUNDS):
        begin = time.process_time()
        fill(made, seed=0, split="train", start=part * ROWS, ids=ids, scored=scored)
        best = min(best, time.process_time() - begin)
    size = sum(part.nbytes for part in tables if isinstance(part, np.ndarray)) / 1e6
    return read, built, size, first, ROWS * n / best / 1e6


if __name__ == "__main__":
    main()
