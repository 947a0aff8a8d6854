"""The kernel of trees where laws do not look: long words, many rules, no room."""

from __future__ import annotations

import numpy as np
import pytest

from procdsl import generate
from procdsl.errors import RunError
from procdsl.programs.base import Lengths
from procdsl.programs.tree import TreeProgram, TreeShape
from runner.generators.tree import prepare
from tests.grammars.examples import drawn, operation, read

LONG = {
    "brackets": """kind = "cfg"
        rules = 'S -> open[i] S close[i] S | ε'
        tokens = { open = 300, close = 300 }""",
    "wide rules": """kind = "cfg"
        rules = 'S -> w{30,40} S | w'
        tokens = { w = { count = 999, weights = "zipf(1.5)" } }""",
    "copies": """kind = "mcfg"
        rules = '''
        S -> W { $1.1 $1.2 }
        W -> W { x[i] $1.1 , x[i] $1.2 } | { ε , ε }
        '''
        tokens = { x = 64 }""",
}


@pytest.mark.parametrize("name", LONG)
def test_long_words_are_those_of_the_reference(name: str) -> None:
    made = operation(read(f"{LONG[name]}\nlength = 400"), 400)
    ids, scored = drawn(made, "train", 3, 3)
    assert (ids.tolist(), scored.tolist()) == generate.rows(made, seed=0, split="train", start=3, count=3)


def test_words_that_tables_cannot_hold_are_refused() -> None:
    shapes = (
        TreeShape(head=0, yields=((0,),), members=((1,),), weights=(0.5,)),
        TreeShape(head=0, children=(1, 1, 1), yields=((-1, -9, -17),), members=((),), weights=(0.5,)),
        TreeShape(head=1, yields=((0,),), members=((0,),), weights=(1e-200,)),
    )
    program = TreeProgram(count=2, shapes=shapes, lengths=Lengths(values=(1, 3)))
    with pytest.raises(RunError, match="length 3 are too unlikely"):
        prepare(program)


def test_the_kernel_holds_the_tables_of_the_reference() -> None:
    program = read("kind = 'cfg'\nrules = 'S -> S S [0.3] | \"a\" | ε [0.2]'\nlength = 30").program()
    alpha = generate.interpreter(program)._tables(program).alpha
    assert (np.array(alpha) == prepare(program).tables.alpha).all()
