"""A distribution that is really installed, in a folder of its own, from the spec to the rows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from procdsl import analysis, generate, plugins
from procdsl.errors import RunError
from tests.grammars.examples import drawn, operation, read

SOURCE = """
class Stairs:
    alphabet = ("up", "down")

    def __init__(self, steps: int = 2) -> None:
        if steps < 1:
            raise ValueError("no steps to take")
        self.steps = steps

    def sample(self, stream, length):
        return [self.alphabet[(place // self.steps + stream.below(2)) % 2] for place in range(length)]

    def lengths(self, longest):
        return range(4, longest + 1, 2)
"""
GRAMMAR = 'kind = "python"\nplugin = "stairs"\nlength = { uniform = [4, 9] }\n'
STUDY = f"""
procdsl = 1
name = "study"
seeds = [0]
model = {{ layers = 1, heads = 1, width = 8, context = 32 }}
[training]
batch_rows = 2
optimiser = {{ kind = "adamw", lr = 1e-3 }}
schedule = {{ kind = "constant" }}
[curricula.only]
baseline = true
phases = [{{ name = "one", data = "climb", steps = 2 }}]
[evaluations.loss]
kind = "loss"
on = "climb"
rows = 2
every = "2 steps"
[compare]
metric = "loss/loss"
[grammars.climb]
{GRAMMAR}"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What pip leaves behind: a module, and what the distribution says of itself."""
    about = tmp_path / "stairs-0.3.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: stairs\nVersion: 0.3\n")
    points = ("stairs = stairs:Stairs", "none = stairs:Nothing", "far = no_module:X")
    (about / "entry_points.txt").write_text("[procdsl.kinds]\n" + "".join(f"words.{p}\n" for p in points))
    (tmp_path / "stairs.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    plugins.identity.cache_clear()
    plugins._made.cache_clear()
    sys.modules.pop("stairs", None)


def test_a_plug_in_draws_rows_by_reference_and_kernel_alike(installed: Path) -> None:
    grammar = read(GRAMMAR)
    made = operation(grammar, 40)
    ids, scored = drawn(made, "train", 3, 4, seed=1)
    assert (ids.tolist(), scored.tolist()) == generate.rows(made, seed=1, split="train", start=3, count=4)
    assert grammar.lengths().values == (4, 6, 8)
    program = made.program
    assert (program.distribution, program.source) == ("stairs 0.3", "stairs:Stairs")
    assert program.split.by == "row"
    assert analysis.floor(program, length=8, context=40) is None
    notes = [problem.message for problem in grammar.problems(40) if problem.code == "P369"]
    assert notes == [
        "the plug-in stairs has no accepts, legal_next, log_probability: nothing is told by them"
    ]


def test_what_is_not_what_was_planned_with_does_not_run(installed: Path) -> None:
    made = operation(read(GRAMMAR), 40)
    (installed / "stairs.py").write_text(SOURCE + "\n# another version\n")
    plugins.identity.cache_clear()
    with pytest.raises(RunError, match="not the one that this was planned with"):
        drawn(made, "train", 0, 1)
    assert read(GRAMMAR).program() != made.program


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (GRAMMAR.replace("stairs", "stars"), "no plug-in is called 'stars'"),
        (GRAMMAR.replace("stairs", "none"), "cannot be made"),
        (GRAMMAR.replace("stairs", "far"), "cannot be made: No module named 'no_module'"),
        (GRAMMAR + "options = { steps = 0 }", "cannot be made: no steps to take"),
        (GRAMMAR + "options = { stops = 1 }", "unexpected keyword argument 'stops'"),
    ],
)
def test_what_is_no_plug_in_says_so(installed: Path, toml: str, said: str) -> None:
    (found,) = read(toml).problems(40)
    assert found.code == "P369"
    assert said in found.message


def test_words_of_another_length_are_an_error(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: Any = operation(read(GRAMMAR), 40)
    words = plugins.make("stairs", ())
    monkeypatch.setattr(type(words), "sample", lambda self, stream, length: ["up"] * (length - 1))
    with pytest.raises(RunError, match="drew no word of"):
        drawn(made, "train", 0, 1)


@pytest.mark.slow
def test_a_study_of_a_plug_in_runs_and_is_described(installed: Path) -> None:
    (installed / "study.toml").write_text(STUDY)
    path = os.pathsep.join([str(installed), str(Path.cwd())])
    for words in (["run"], ["describe", "climb"], ["sample", "climb", "-n", "1"]):
        command = [sys.executable, "-m", "procdsl", words[0], "study.toml", *words[1:]]
        done = subprocess.run(
            command, cwd=installed, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "up" in done.stdout
