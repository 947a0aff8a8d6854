"""Answers by length and by place, and the guess that reads nothing beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runner.measures.buckets import means
from tests.runner.measures.spec import finals, measured

NEEDLE = """
[grammars.data]
kind = "task"
input = { m = "mapping(key, value, size=uniform(1, 30))", q = "choice(keys(m))" }
output = "m | lookup(q)"
format = "{m:pairs} {q:query} {output}"
symbols = { key = 30, value = 127 }
[evaluations.needle]
kind = "answer"
on = "data"
[compare]
metric = "needle/exact_match"
"""


def test_a_needle_has_its_chance_beside_it_and_numbers_for_every_length(tmp_path: Path) -> None:
    found = measured(tmp_path, NEEDLE)
    # Guess a value that is there: the mean of 1/n, n = 1 .. 30 alike.
    assert found["chance"] == pytest.approx(sum(1 / n for n in range(1, 31)) / 30)
    assert found["chances"] == dict.fromkeys(("needle/exact_match", "needle/token_accuracy"), found["chance"])
    assert not found["lower_is_better"]
    values = finals(found)
    lengths = {name.rpartition("_")[2] for name in values if name.startswith("needle/exact_match/prompt_")}
    assert lengths == {str(2 * n + 1) for n in range(1, 31)}
    assert values["needle/token_accuracy/answer_1"] == values["needle/exact_match"]


def test_a_number_of_one_length_can_be_compared(tmp_path: Path) -> None:
    found = measured(tmp_path, NEEDLE, "compare.metric=needle/exact_match/prompt_21")
    assert found["metric"] == "needle/exact_match/prompt_21"
    assert found["curricula"][0]["final"]["mean"] == finals(found)["needle/exact_match/prompt_21"]
    assert (found["lower_is_better"], found["chance"]) == (False, None)


def test_means_stand_one_by_one_and_then_by_doubling() -> None:
    numbers = np.array([1, 2, 2, 3, 5, 6, 8, 9])
    found = means("x", numbers, [1, 2, 4, 3, 0, 0, 3, 7], each=4)
    assert found == {"x_1": 1, "x_2": 3, "x_3": 3, "x_5_8": 1, "x_9_16": 7}
