"""Every kind of source, corpus and evaluation: its docstring shows the TOML that makes one."""

from __future__ import annotations

import inspect
import re
import tomllib

import pytest

from procdsl import kinds
from procdsl.kinds import Node
from procdsl.language.corpora.base import Corpus
from procdsl.language.evaluations.base import Evaluation
from procdsl.language.sources.base import Source

EVERY = [(family, kind) for family in (Source, Corpus, Evaluation) for kind in kinds.names(family)]


@pytest.mark.parametrize(("family", "kind"), EVERY, ids=[kind for _, kind in EVERY])
def test_the_example_of_a_kind_makes_one(family: type[Node], kind: str) -> None:
    node = kinds.load(family, kind)
    (block,) = re.findall(r"```toml\n(.*?)```", inspect.getdoc(node) or "", re.DOTALL)
    made = node.model_validate(kinds.frozen(tomllib.loads(block)), strict=True)
    assert made.kind == kind  # type: ignore[attr-defined]
