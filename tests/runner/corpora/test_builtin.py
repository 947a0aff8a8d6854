"""The built-in texts: real prose and code of this environment, read a little at a time."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from procdsl.errors import RunError
from procdsl.plan.sources.builtin import BuiltinSource
from runner.corpora.sources import builtin
from tests.runner.corpora.made import operation, prepared


@pytest.mark.parametrize("name", ["pydocs", "pysource"])
def test_it_is_real_text_of_the_size_asked_for(name: str) -> None:
    source = BuiltinSource(name=name, megabytes=0.3)
    digest = builtin.pin(source).digest
    texts = list(builtin.documents(source, digest=digest))
    size = sum(map(len, texts))
    assert 0.3e6 <= size <= 0.6e6
    assert len(set(texts)) == len(texts)
    assert all(len(text) >= 200 for text in texts)
    assert sum(text.count(" the ") for text in texts) > 500
    longer = source.model_copy(update={"megabytes": 0.6})
    assert list(islice(builtin.documents(longer, digest=builtin.pin(longer).digest), len(texts))) == texts


def test_prose_has_no_examples_to_be_run() -> None:
    source = BuiltinSource(name="pydocs", megabytes=0.3)
    texts = list(builtin.documents(source, digest=builtin.pin(source).digest))
    lines = [line for text in texts for line in text.splitlines()]
    assert not any(line.lstrip().startswith(">>>") for line in lines)
    assert not any(text.rstrip().endswith("Examples\n--------") for text in texts)


def test_a_module_gives_its_own_docstring_and_one_document_a_definition() -> None:
    prose = "This sentence is here so that the document is long enough to be counted as prose. " * 3
    module = f'''"""{prose}"""
class Stack:
    """Stack. {prose}"""
    def push(self):
        """Push. {prose}

        >>> Stack().push()
        1

        After the example.
        """
def short():
    """Too short."""
'''
    first, second = builtin._prose(module)
    assert first == prose.strip()
    assert second.startswith("Stack. ")
    assert "Push. " in second
    assert second.endswith("After the example.")
    assert ">>>" not in second
    assert not list(builtin._prose("def broken(:"))


def test_our_own_code_is_not_in_it() -> None:
    names = [file.name for file in builtin._files()]
    assert names
    assert not any("procdsl" in name or "site-packages" in name for name in names)


def test_another_environment_is_refused() -> None:
    source = BuiltinSource(name="pydocs")
    with pytest.raises(RunError, match="an installed package has changed") as raised:
        next(builtin.documents(source, digest="0" * 64))
    assert raised.value.reason == "data-changed"


def test_it_reads_on_where_a_budget_needs_more(tmp_path: Path) -> None:
    source = BuiltinSource(name="pysource", megabytes=0.05)
    corpus, _ = prepared(operation(source=source, train_tokens=300_000), tmp_path)
    assert corpus.train_tokens >= 300_000
    assert not corpus.complete
    with pytest.raises(RunError, match="passes over it"):
        prepared(operation(source=source, train_tokens=300_000, max_epochs=2), tmp_path)
