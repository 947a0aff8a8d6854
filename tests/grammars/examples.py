"""The grammar that each kind's docstring shows, and its rows."""

from __future__ import annotations

import re
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from procdsl import kinds
from procdsl.grammars._held_out import HeldOut
from procdsl.grammars.base import AnyGrammar, Grammar, WordGrammar
from procdsl.plan import GenerateOperation
from runner.generators import fill

# A distribution with a plug-in, as pip would install it.
sys.path.append(str(Path(__file__).parent / "plugins"))
READ: TypeAdapter[Any] = TypeAdapter(AnyGrammar)


def read(toml: str) -> Any:
    """The grammar that a table spells."""
    return READ.validate_python(tomllib.loads(toml))


def example(kind: str) -> Any:
    """The grammar in the kind's docstring."""
    shown = textwrap.dedent(" " * 4 + (kinds.load(Grammar, kind).__doc__ or ""))
    (block,) = re.findall(r"```toml\n(.*?)```", shown, re.DOTALL)
    return read(block)


EXAMPLES = {kind: example(kind) for kind in kinds.names(Grammar)}
WORDS = {kind: found for kind, found in EXAMPLES.items() if isinstance(found, WordGrammar)}


def unsplit(grammar: Any, **changes: Any) -> Any:
    """The grammar with nothing held out, and other changes."""
    return type(grammar).model_validate(
        {**grammar.model_dump(), "held_out": HeldOut(validation=0, test=0).model_dump(), **changes}
    )


def operation(grammar: Any, context: int | None = None) -> GenerateOperation:
    """Rows of a grammar: of words, about two to a row unless `context` says otherwise."""
    longest = grammar.longest()
    packed = 2 * longest + 2 if isinstance(grammar, WordGrammar) else longest
    return GenerateOperation(
        id="generate/x",
        name="x",
        program=grammar.program(),
        length=longest,
        context=context or packed,
        tokens=grammar.tokens(),
        cells=grammar.cells(),
    )


def drawn(made: GenerateOperation, split: str, start: int, count: int, seed: int = 0) -> tuple[Any, Any]:
    """Rows by the kernel."""
    ids = np.full((count, made.row), -1, np.int32)
    scored = np.full((count, made.row), 9, np.uint8)
    fill(made, seed=seed, split=split, start=start, ids=ids, scored=scored)
    return ids, scored


def words_of(grammar: Any, row: Any) -> list[tuple[str, ...]]:
    """The words of a row: of a task, the row without its padding."""
    tokens = [grammar.tokens()[id] for id in row]
    if not isinstance(grammar, WordGrammar):
        return [tuple(token for token in tokens if token != "<pad>")]
    if "<end>" not in tokens:
        return [tuple(tokens[1:])]
    found, word = list[tuple[str, ...]](), list[str]()
    for token in tokens[1:]:
        if token == "<end>":
            found.append(tuple(word))
            word = []
        elif token != "<pad>":
            word.append(token)
    assert not word
    return found
