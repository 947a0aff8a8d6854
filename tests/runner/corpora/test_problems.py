"""Mathematics: problems in rows, answers alone scored, from files and the Hub as published, and made here."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from procdsl.errors import RunError
from procdsl.plan import CharactersTokenizer, PrepareOperation
from procdsl.plan.sources.problems import ProblemsSource
from runner.corpora import Corpus, open_corpus, prepare, tokenizers
from runner.corpora.sources import arithmetic
from runner.events import ignore
from tests.runner.corpora.made import bound, operation, prepared
from tests.runner.corpora.small_hub import serve

ROW = 160


def source(**fields: Any) -> ProblemsSource:
    base = {"path": None, "parts": ("train-easy",), "modules": ("*",), "row": ROW, "pack": False}
    return ProblemsSource(**(base | fields))


def made(size: int = 100, **fields: Any) -> PrepareOperation:
    return operation(
        source=source(**fields), tokenizer=CharactersTokenizer(size=size), train_tokens=20_000, max_epochs=1e4
    )


def published(folder: Path, problems: int = 40) -> Path:
    """Two parts of two modules, as the files of the published data set lie."""
    for part, first in (("train-easy", 1), ("interpolate", 500)):
        for module, sign in (("arithmetic__add_or_sub", "+"), ("numbers__gcd", "-")):
            path = folder / part / f"{module}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [
                f"What is {first + i} {sign} 1?\n{first + i + (1 if sign == '+' else -1)}\n"
                for i in range(problems)
            ]
            path.write_text("".join(lines))
    return folder


def rows(corpus: Corpus, count: int) -> tuple[np.ndarray, np.ndarray]:
    ids, scored = np.zeros((count, ROW + 1), np.int32), np.zeros((count, ROW + 1), np.uint8)
    corpus.rows("train", indices=np.arange(count), context=ROW, offset=0, out=ids)
    corpus.score(ids, scored)
    return ids, scored


def test_a_row_is_a_problem_and_its_answer_and_end_are_scored(tmp_path: Path) -> None:
    corpus, _ = prepared(made(), tmp_path)
    for row, scored in zip(*rows(corpus, 100), strict=True):
        text = tokenizers.spelt(row[:-1].tolist())
        assert (question := re.fullmatch("<question>(.+)<answer>(.+)<end>", text)) is not None
        assert tokenizers.spelt(row[scored == 1].tolist()) == f"{question[2]}<end>"
        assert row[-1] == tokenizers.Characters.BEGIN


def test_packed_as_published_rows_hold_whole_problems_and_no_end_is_scored(tmp_path: Path) -> None:
    corpus, _ = prepared(made(99, pack=True), tmp_path)
    packed = Counter[int]()
    for row, scored in zip(*rows(corpus, 100), strict=True):
        problems = tokenizers.spelt(row[:-1].tolist()).split("<question>")[1:]
        assert tokenizers.spelt(row[scored == 1].tolist()) == "".join(
            p.split("<answer>")[1] for p in problems
        )
        assert all(re.fullmatch(r"[^<]+<answer>[^<]+", problem) for problem in problems)
        packed[len(problems)] += 1
        last = len(problems[-1]) + 2
        blank = int((row[:-1] == tokenizers.Characters.PAD).sum())
        assert blank < ROW - last
    assert max(packed) > 1


def test_files_take_turns_and_going_on_changes_nothing(tmp_path: Path) -> None:
    published(tmp_path / "math")
    short = made(path="math").model_copy(
        update={"train_tokens": 2_000, "validation_share": 0.01, "validation_tokens": 0}
    )
    corpus, _ = prepared(short, tmp_path)
    texts = [tokenizers.spelt(row.tolist()).split("<end>")[0] for row in rows(corpus, 4)[0]]
    assert texts[0] == "<question>What is 1 + 1?<answer>2"
    assert [text.split("?")[0].split()[3] for text in texts] == ["+", "-", "+", "-"]
    longer = short.model_copy(update={"train_tokens": 6_000})
    published(tmp_path / "other/math")
    grown, whole = prepared(longer, tmp_path)[0], prepared(longer, tmp_path / "other")[0]
    assert (rows(grown, 60)[0] == rows(whole, 60)[0]).all()


def test_the_problems_made_here_go_on_where_they_stopped(tmp_path: Path) -> None:
    short, longer = (made().model_copy(update={"train_tokens": n}) for n in (10_000, 40_000))
    prepared(short, tmp_path / "a")
    grown, whole = prepared(longer, tmp_path / "a")[0], prepared(longer, tmp_path / "b")[0]
    assert (rows(grown, 400)[0] == rows(whole, 400)[0]).all()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no folder nowhere"):
        bound(made(path="nowhere"), tmp_path)
    published(tmp_path / "math")
    with pytest.raises(RunError, match="train-hard has no module called"):
        bound(made(path="math", parts=("train-hard",)), tmp_path)
    with pytest.raises(RunError, match="no module made here is called calculus"):
        bound(made(modules=("calculus",)), tmp_path)
    path = tmp_path / "math/train-easy/numbers__gcd.txt"
    path.write_text(path.read_text().rpartition("\n38")[0])
    with pytest.raises(
        RunError, match=r"numbers__gcd.txt:\d+: questions and answers stand on lines by turns"
    ):
        prepared(made(path="math").model_copy(update={"train_tokens": 10**6}), tmp_path)
    with pytest.raises(RunError, match=r"a problem has .* tokens, and rows have 12"):
        prepared(made(row=12), tmp_path)


def test_a_folder_that_is_not_there_gives_way_to_the_problems_made_here(tmp_path: Path) -> None:
    operation = made(path="nowhere").model_copy(update={"fallback": source()})
    found, place, _ = bound(operation, tmp_path)
    assert found.binding is not None
    assert (found.binding.fallback, found.binding.source) == (True, source())
    prepare(found, place, observe=ignore)
    assert open_corpus(place).problems


# ---------------------------------------------------------------- the problems made here


def value(text: str) -> Any:
    return eval(text, {"__builtins__": {}})


def right(question: str, answer: str) -> bool:
    """Whether the answer is right, found out again from the question's text."""
    numbers = [int(number) for number in re.findall(r"-?\d+", question)]
    if found := re.fullmatch(r"Solve (.+) = (.+) for (\w)\.", question):
        return all(
            eval(found[1], {found[3]: int(answer)}) == eval(found[2], {found[3]: int(answer)}) for _ in (0,)
        )
    if found := re.fullmatch(r"Let (\w)\(x\) = (.+)\. .*\((-?\d+)\)[.?]", question):
        return eval(found[2], {"x": int(found[3])}) == int(answer)
    if found := re.fullmatch(r"Expand (.+)\.", question):
        (name,) = set(re.findall("[a-z]", found[1]))
        return all(eval(found[1], {name: at}) == eval(answer, {name: at}) for at in (-3, -1, 0, 2, 5))
    for words, made in (
        (("divisor", "factor"), lambda: math.gcd(*numbers)),
        (("multiple",), lambda: math.lcm(*numbers)),
        (("remainder",), lambda: numbers[0] % numbers[1]),
        (("bigger", "greater"), lambda: max(numbers)),
        (("smaller", "less"), lambda: min(numbers)),
        (("ivide",), lambda: Fraction(*numbers)),
        (("Multiply", "Product"), lambda: numbers[0] * numbers[1]),
        (("Add ",), lambda: sum(numbers)),
        (("Subtract",), lambda: numbers[1] - numbers[0]),
    ):
        if any(word in question for word in words):
            return str(made()) == answer
    if "order" in question:
        return answer == ", ".join(
            map(str, sorted(numbers, reverse="decreasing" in question or "descending" in question))
        )
    if "digit" in question:
        names = ["units", "tens", "hundreds", "thousands", "ten thousands", "hundred thousands", "millions"]
        return str(numbers[0])[-1 - names.index(re.search("the (.+) digit", question)[1])] == answer  # type: ignore[index]
    if "prime" in question or "composite" in question:
        prime = all(numbers[0] % by for by in range(2, math.isqrt(numbers[0]) + 1))
        return answer == str(prime != ("composite" in question))
    found = re.fullmatch(r"(?:What is|Work out|Calculate|Evaluate) (.+)[.?]", question)
    return found is not None and value(found[1]) == int(answer)


@pytest.mark.parametrize("module", arithmetic.MODULES)
def test_answers_are_right(module: str) -> None:
    parts = ["train-easy", "train-medium", "train-hard", "interpolate"]
    parts += ["extrapolate"] * (module in arithmetic.modules("extrapolate"))
    for part in parts:
        for i in range(60):
            question, answer = arithmetic.problem(part, module, i)
            assert right(question, answer), (question, answer)
            assert question.isascii()
            assert len(question) + len(answer) + 3 <= 256


def test_parts_share_no_question() -> None:
    """Interpolated questions are kept from training by their hash; extrapolated ones have longer numbers."""
    asked = {
        part: {
            arithmetic.problem(part, module, i)[0] for module in arithmetic.modules(part) for i in range(150)
        }
        for part in ("train-easy", "train-medium", "train-hard", "interpolate", "extrapolate")
    }
    trained = asked["train-easy"] | asked["train-medium"] | asked["train-hard"]
    assert not trained & asked["interpolate"]
    assert not trained & asked["extrapolate"]
    longest = {part: max(len(n) for q in asked[part] for n in re.findall(r"\d+", q)) for part in asked}
    assert longest["train-easy"] < longest["train-hard"]
    named = [arithmetic.problem("extrapolate", "arithmetic__add_or_sub", i)[0] for i in range(100)]
    assert min(len(number) for question in named for number in re.findall(r"\d+", question)) >= 6


def test_problems_are_what_they_were() -> None:
    """Where these change, `VERSION` is raised."""
    files = tuple(("train-medium", module) for module in arithmetic.MODULES)
    found = [" ".join(problem) for problem in islice(arithmetic.problems(files, 28), 4)]
    assert found == GOLDEN


GOLDEN = [
    "Solve 10*c - 4 = 6*c - 2072 for c. -517",
    "Work out 86 + -1. 85",
    "Divide -7254 by 78. -93",
    "Calculate 9 + ((281 + 375) - (104 + 589)). -28",
]


FETCH = """
import sys
from pathlib import Path
from tests.runner.corpora.made import prepared
from tests.runner.corpora.test_problems import made, rows
from runner.corpora import tokenizers
changes = {"train_tokens": 2_000, "validation_share": 0.01, "validation_tokens": 0}
operation = made(path="someone/math").model_copy(update=changes)
corpus, _ = prepared(operation, Path(sys.argv[1]))
print(tokenizers.spelt(rows(corpus, 1)[0][0].tolist()))
"""


def test_a_data_set_of_the_hub_in_that_layout(tmp_path: Path) -> None:
    published(tmp_path / "hub/datasets/someone/math")
    with serve(tmp_path / "hub") as address:
        environment = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        command = [sys.executable, "-c", FETCH, str(tmp_path / "run")]
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<question>What is 1 + 1?<answer>2<end>")
