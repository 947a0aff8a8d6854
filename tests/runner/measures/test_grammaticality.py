"""Legal mass against plain arithmetic on all logits, and words that a model is made to write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from procdsl.plan import GenerateOperation, Vocabulary
from procdsl.programs.base import Lengths, Split
from procdsl.programs.measurements.grammaticality import GrammaticalityMeasurement
from runner.execution import Execution
from runner.initial import initial
from runner.measures import Setting, prepared, taken
from runner.model import Transformer
from runner.store import Store
from tests.runner.measures.spec import finals, measured
from tests.runner.training import TINY, dyck, iid, measured_by, phase, plan_of

ROWS = Split(validation=2**62, by="row")
SPEC = """
[grammars.data]
{grammar}
[evaluations.legal]
kind = "grammaticality"
on = "data"
rows = 8
words = 8
[compare]
metric = "legal/mass"
"""


def setting_of(source: GenerateOperation, root: Path, *, rows: int = 20, words: int = 0) -> Setting:
    train = phase(source, iid("other", count=2), vocabulary=Vocabulary(tokens=("x", *source.tokens, "s0")))
    wanted = GrammaticalityMeasurement(source=source.id, rows=rows, words=words)
    measure = measured_by(wanted)
    plan = plan_of(source, train, measure)
    return Setting(plan, measure, train, Store(root), Execution(store=root))


def legal_next(word: str) -> set[str]:
    """By rule: of round and square brackets, what may follow; `$` is the end."""
    open = ""
    for symbol in word:
        open = open[:-1] if symbol in ")]" else open + symbol
    return {"(", "["} | ({{"(": ")", "[": "]"}[open[-1]]} if open else {"$"} if word else set())


def test_the_mass_is_what_plain_arithmetic_says(tmp_path: Path) -> None:
    source = dyck(k=2, length=6).model_copy(update={"context": 14})
    source = source.model_copy(
        update={
            "program": source.program.model_copy(update={"lengths": Lengths(values=(2, 4, 6)), "split": ROWS})
        }
    )
    setting = setting_of(source, tmp_path)
    tokens = setting.operation.vocabulary.tokens
    model = initial(TINY, len(tokens), 1)
    for tensor in model.parameters():
        tensor.data.mul_(3)
    made: Any = prepared(setting)
    found = taken(made, model, setting)
    spelt = dict(zip(("x", *source.tokens, "s0"), "x([)]^$_s", strict=True))
    masses, tops, depths, distances = [], [], {}, {}  # type: ignore[var-annotated]
    for row, scored in zip(made.rows.ids, made.rows.scored, strict=True):
        text = "".join(spelt[tokens[id]] for id in row)
        logits = model.eval().double().logits(torch.from_numpy(row[None, :-1]).long())[0].detach()
        model.float()
        for place in range(len(row) - 1):
            if not scored[place + 1]:
                continue
            word = text[: place + 1].replace("^", "$").rpartition("$")[2]
            may = [spelt[token] in legal_next(word) for token in tokens]
            mass = float(logits[place].softmax(0)[torch.tensor(may)].sum())
            masses.append(mass)
            tops.append(may[int(logits[place].argmax())])
            depth = sum(1 if s in "([" else -1 for s in word)
            depths.setdefault(depth, []).append(mass)
            if text[place + 1] in ")]":
                inner, back = 0, place
                while inner or text[back] in ")]":
                    inner += 1 if text[back] in ")]" else -1
                    back -= 1
                distances.setdefault(place + 1 - back, []).append(mass)
    assert found["mass"] == pytest.approx(sum(masses) / len(masses), rel=1e-6)
    assert found["argmax_legal"] == pytest.approx(sum(tops) / len(tops))
    for depth, values in depths.items():
        assert found[f"mass/depth_{depth}"] == pytest.approx(sum(values) / len(values), rel=1e-6)
    assert set(distances) == {1, 3, 5}
    for distance, values in distances.items():
        name = "5_8" if distance == 5 else str(distance)
        assert found[f"mass/distance_{name}"] == pytest.approx(sum(values) / len(values), rel=1e-6)


class Fixed(Transformer):
    """Whatever stands before, position t says token `script[t]`."""

    def __init__(self, script: list[int], size: int) -> None:
        super().__init__(TINY.model_copy(update={"width": 16, "layers": 1}), size)
        with torch.no_grad():
            for tensor in self.parameters():
                tensor.zero_()
            self.norm.weight.fill_(100.0)
            self.embedding.weight[:, :size] = torch.eye(size)
            for place, id in enumerate(script):
                self.position.weight[place, id] = 1_000.0


@pytest.mark.parametrize(
    ("script", "accepted"),
    [
        ("([])()[[()]][]()", 1),
        ("([)]()[[()]][]()", 0),
        ("([])$", 1),
        ("([]$", 0),
        ("$", 0),
    ],
)
def test_words_that_the_model_writes(script: str, accepted: int, tmp_path: Path) -> None:
    source = dyck(k=2, length=16)
    setting = setting_of(source, tmp_path, rows=2, words=3)
    place = {symbol: id for id, symbol in enumerate("x([)]^$_s")}
    model = Fixed([place[symbol] for symbol in script.ljust(16, "x")], 9)
    assert taken(prepared(setting), model, setting)["accepted"] == accepted


@pytest.mark.parametrize(
    "grammar",
    [
        'kind = "shuffle_dyck"\nk = 3\nlength = { uniform = [4, 12] }',
        'kind = "regex"\npattern = "(a|b)* c"\nlength = 32',
        "kind = 'cfg'\nrules = 'S -> a[i] S b[i] | \"c\"'\ntokens = { a = 3, b = 3 }\nlength = 41",
    ],
)
def test_other_languages_from_their_spec(grammar: str, tmp_path: Path) -> None:
    found = finals(measured(tmp_path, SPEC.format(grammar=grammar)))
    assert 0 < found["legal/mass"] < 1
    assert 0 <= found["legal/accepted"] <= 1
    assert ("legal/mass/depth_1" in found) == ("shuffle" in grammar)
