"""Evaluations at other numbers of their grammar than it is trained with."""

from __future__ import annotations

from pathlib import Path

from procdsl.compiler import Compiled, compile
from procdsl.plan import GenerateOperation, MeasureOperation, Plan, TrainOperation
from tests.runner.measures.spec import HEAD, finals, measured

REVERSE = """
[grammars.data]
kind = "task"
input = "uniform(sym, length=n)"
output = "input | reverse"
symbols = { sym = 20 }
n = 8
[evaluations.reversed]
kind = "answer"
on = "data"
rows = 8
[evaluations.longer]
kind = "answer"
on = "data"
rows = 8
at = { n = [4, 16, 24] }
[compare]
metric = "longer_n16/exact_match"
"""


def compiled(root: Path, text: str, *sets: str) -> Compiled:
    (root / "tiny.toml").write_text(HEAD + text)
    return compile(root / "tiny.toml", profile=None, sets=sets)


def sources(plan: Plan) -> dict[str, GenerateOperation]:
    found = {}
    for measure in plan.of_kind(MeasureOperation):
        found[measure.name] = plan.operation(measure.measurement.source, GenerateOperation)
    return found


def test_each_number_has_an_evaluation_of_its_own(tmp_path: Path) -> None:
    made = compiled(tmp_path, REVERSE)
    found = sources(made.plan)
    assert {name: (one.name, one.context) for name, one in found.items()} == {
        "reversed": ("data", 17),
        "longer_n4": ("data_n4", 9),
        "longer_n16": ("data_n16", 33),
        "longer_n24": ("data_n24", 49),
    }
    (train,) = (one for one in made.plan.of_kind(TrainOperation))
    assert train.context == 17
    told = [one for one in made.diagnostics if one.code == "P344"]
    assert ["longer_n16 feeds 33" in told[0].message, "longer_n24 feeds 49" in told[1].message] == [True] * 2


def test_what_is_measured_elsewhere_trains_nothing_again(tmp_path: Path) -> None:
    with_it, without = compiled(tmp_path, REVERSE).plan, REVERSE.partition("[evaluations.longer]")[0]
    alone = compiled(tmp_path, without).plan
    assert alone.key("plain/s0/main") == with_it.key("plain/s0/main")
    assert alone.key("plain/s0/main/reversed") == with_it.key("plain/s0/main/reversed")


def test_several_lists_make_a_grid(tmp_path: Path) -> None:
    text = """
[grammars.data]
kind = "dyck"
k = 2
length = 32
[evaluations.deep]
kind = "loss"
on = "data"
at = { length = [32, 48], depth = [2, 8] }
"""
    found = sources(compiled(tmp_path, text).plan)
    assert list(found) == [f"deep_length{n}_depth{d}" for n in (32, 48) for d in (2, 8)]
    program = found["deep_length48_depth2"].program
    assert (program.kind, program.model_dump()["depth"]) == ("dyck", 2)


def test_longer_answers_are_measured_and_compared(tmp_path: Path) -> None:
    found = measured(tmp_path, REVERSE)
    values = finals(found)
    assert found["metric"] == "longer_n16/exact_match"
    assert values["longer_n4/token_accuracy/prompt_5"] == values["longer_n4/token_accuracy"]
    assert "longer_n24/token_accuracy/answer_25" in values
