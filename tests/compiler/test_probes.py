"""Searches as plans: probes are the curriculum with another budget, and nothing else is touched."""

from __future__ import annotations

from pathlib import Path

from procdsl.compiler import Compiled, compile
from procdsl.compiler.probes import Search, searches
from procdsl.plan import TrainOperation

SPECS = Path(__file__).parents[2] / "specs"
SEARCH = """
extends = "{minimal}"
[curricula.first]
phases = [{{ name = "warmup", tokens = "50% of text" }}]
[searches.least]
curriculum = "first"
phase      = "text"
between    = ["20%", "100%"]
tolerance  = "5 steps"
grid       = 3
"""


def studied(folder: Path) -> tuple[Compiled, Search]:
    (folder / "minimal.toml").write_text(Path(__file__).with_name("minimal.toml").read_text("utf-8"), "utf-8")
    path = folder / "search.toml"
    path.write_text(SEARCH.format(minimal="minimal.toml"), "utf-8")
    compiled = compile(path, profile=None)
    return compiled, searches(compiled.spec, compiled.plan.profile)["least"]


def test_budgets_are_whole_steps(tmp_path: Path) -> None:
    _, search = studied(tmp_path)
    assert search.grid == (20, 60, 100)
    assert (search.tolerance, search.whole) == (5, 100)


def test_what_the_study_trains_is_not_trained_again(tmp_path: Path) -> None:
    compiled, search = studied(tmp_path)
    plan, study = search.plan((60, 100)), compiled.plan
    assert plan.key("plain/s0/text") == study.key("plain/s0/text")
    (whole,) = (t for t in plan.trials if (t.curriculum, t.seed) == ("least_100", 0))
    own = next(t for t in study.trials if (t.curriculum, t.seed) == ("first", 0))
    assert [plan.key(phase.train) for phase in whole.phases] == [study.key(p.train) for p in own.phases]


def test_a_probe_has_the_same_warm_up_and_a_schedule_of_its_own(tmp_path: Path) -> None:
    _, search = studied(tmp_path)
    plan = search.plan((60, 100))
    by_name = {t.curriculum: t for t in plan.trials if t.seed == 1}
    less, whole = by_name["least_60"], by_name["least_100"]
    assert less.phases[0].train == whole.phases[0].train  # "50% of text" stays that of the text as written
    text = plan.operation(less.phases[1].train, TrainOperation)
    assert (text.steps, text.schedule.warmup) == (60, 6)
    assert less.measures, "the metric is measured in a copy as well"


def test_a_probe_reads_the_same_rows_whatever_else_is_tried() -> None:
    compiled = compile(SPECS / "substitutive_c4.toml", profile="cpu")
    search = searches(compiled.spec, "cpu")["sort_budget"]
    few, many = search.plan((100,)), search.plan((60, 100, 200))
    for trial in few.trials:
        assert all(few.key(phase.train) in many.keys.values() for phase in trial.phases)
