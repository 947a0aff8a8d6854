"""Numbers that change over a phase: the values in order, each once, and only while they are in force."""

from __future__ import annotations

from fractions import Fraction

import pytest

from procdsl.compiler import compile
from procdsl.plan import GenerateOperation, MeasureOperation, Plan, TrainOperation
from runner.shares import row_counts
from tests.compiler.minimal import MINIMAL, compiled, errors

WARMUP = "curricula.first.phases.warmup"


def phase(made: Plan) -> TrainOperation:
    return made.operation("first/s0/warmup", TrainOperation)


def names(made: Plan, operation: TrainOperation) -> list[str]:
    return [made.by_id[feed.source].name for feed in operation.feeds]  # type: ignore[union-attr]


def course(made: Plan) -> list[tuple[str, int]]:
    """The sources of the warm-up in force, each with the step at which it begins; one at a time."""
    operation, found, step = phase(made), list[tuple[str, int]](), 0
    for stage in operation.stages:
        (index,) = [i for i, share in enumerate(stage.shares) if share]
        found.append((names(made, operation)[index], step))
        step += stage.steps
    return found


def test_whole_numbers_are_taken_each_once_over_the_stretch() -> None:
    made = compiled('grammars.dyck.k={ from = 2, to = 6, over = "0%..50%" }').plan
    assert course(made) == [("dyck@2", 0), ("dyck@3", 10), ("dyck@4", 20), ("dyck@5", 30), ("dyck@6", 40)]


def test_a_ramp_may_fall_skip_and_begin_later() -> None:
    made = compiled('grammars.dyck.length={ from = 32, to = 24, by = 2, over = "20%..70%" }').plan
    begins = [20 + 10 * i for i in range(5)]
    assert course(made) == [
        (f"dyck@{length}", at if at > 20 else 0)
        for length, at in zip((32, 30, 28, 26, 24), begins, strict=True)
    ]


def test_a_cosine_is_slow_at_both_ends() -> None:
    made = compiled('grammars.dyck.k={ from = 2, to = 6, over = "0%..100%", shape = "cosine" }').plan
    # acos(1 - 2i/5) / π: 0.2952, 0.4359, 0.5641, 0.7048 of 100 steps
    assert [step for _, step in course(made)] == [0, 30, 44, 56, 70]


def test_steps_are_laws_of_lengths_as_well() -> None:
    made = compiled('grammars.dyck.length={ steps = { "0%" = { uniform = [8, 16] }, "25%" = 32 } }').plan
    assert course(made) == [("dyck@uniform+8+16", 0), ("dyck@32", 25)]
    rows = made.operation("generate/dyck@uniform+8+16-32", GenerateOperation)
    assert rows.program.lengths.values == (8, 10, 12, 14, 16)  # type: ignore[union-attr]


def test_a_value_that_comes_again_is_the_same_source() -> None:
    made = compiled('grammars.dyck.k={ steps = { "0%" = 2, "20%" = 4, "40%" = 2 } }').plan
    assert course(made) == [("dyck@2", 0), ("dyck@4", 20), ("dyck@2", 40)]
    assert len(phase(made).feeds) == 2


def test_fractions_are_laid_out_in_64_plateaus_at_most() -> None:
    ramp = "{ from = 0.3, to = 0.6, over = '0%..64%' }"
    plan = compiled(
        f"grammars.walk={{ kind = 'nesting', types = 4, length = 32, p_open = {ramp} }}",
        f"{WARMUP}.data='walk'",
        "evaluations.brackets.on='walk'",
    ).plan
    assert len(phase(plan).feeds) == 64
    first, last = names(plan, phase(plan))[0], names(plan, phase(plan))[-1]
    assert (first, last) == ("walk@0.3", "walk@0.6")


def test_controls_change_with_what_they_are_made_of() -> None:
    made = compiled('grammars.dyck.k={ steps = { "0%" = 2, "50%" = 4 } }', f'{WARMUP}.data="shuffled"').plan
    assert course(made) == [("shuffled@2", 0), ("shuffled@4", 50)]


def test_mixtures_whose_shares_change_keep_their_shares() -> None:
    """Of any step, the rows of all values together are those of the share."""
    data = f'{WARMUP}.data={{ dyck = {{ from = 1, to = 0, over = "0%..100%" }}, shuffled = 1 }}'
    plain, made = (
        compiled(data).plan,
        compiled(data, 'grammars.dyck.k={ steps = { "0%" = 2, "30%" = 4 } }').plan,
    )
    before, after = phase(plain), phase(made)
    assert names(made, after) == ["dyck@2", "dyck@4", "shuffled@2", "shuffled@4"]
    assert sum(stage.steps for stage in after.stages) == before.steps
    for step, (one, other) in enumerate(
        zip(row_counts(before.stages, 8), row_counts(after.stages, 8), strict=True)
    ):
        # Each of at most two open quotas is met to a row, and plateaus of the ramp begin a step apart.
        assert abs(one[0] - (other[0] + other[1])) <= 4, step
        assert sum(one) == sum(other) == 8 * step


def test_vocabulary_and_context_are_those_of_all_values() -> None:
    made = compiled(
        'grammars.dyck={ kind = "dyck", k = { from = 2, to = 8, over = "0%..90%" }, length = 32 }'
    ).plan
    assert {f"({i}" for i in range(8)} <= set(phase(made).vocabulary.tokens)
    grown = compiled('grammars.dyck.length={ steps = { "0%" = 32, "50%" = 16 } }').plan
    assert phase(grown).context == 32


def test_outside_phases_it_has_its_last_value() -> None:
    made = compiled('grammars.dyck.k={ from = 2, to = 4, over = "0%..50%" }').plan
    measure = made.operation("first/s0/warmup/brackets", MeasureOperation)
    assert measure.measurement.source == "generate/dyck-32"
    assert made.by_id["generate/dyck-32"] == compiled().plan.by_id["generate/dyck-32"]


def test_a_schedule_changes_no_key_of_what_does_not_read_it() -> None:
    before, after = compiled().plan, compiled('grammars.dyck.k={ from = 2, to = 4, over = "0%..50%" }').plan
    assert before.key("plain/s0/text") == after.key("plain/s0/text")


def test_rows_of_a_value_do_not_depend_on_the_others() -> None:
    one = compiled('grammars.dyck.k={ from = 2, to = 4, over = "0%..50%" }').plan
    other = compiled('grammars.dyck.k={ steps = { "0%" = 3, "10%" = 9 } }').plan
    assert one.key("generate/dyck@3-32") == other.key("generate/dyck@3-32")


MASTERY = "{ mastery = [2, 4, 8], metric = 'brackets/closer_accuracy', threshold = 0.9, for = 2 }"
OFTEN = "evaluations.brackets={ kind = 'loss', on = 'dyck', every = '10%', rows = 32 }"


def test_values_wait_for_each_other_with_rules_of_their_own() -> None:
    made = compiled(OFTEN, f"grammars.dyck.k={MASTERY}").plan
    operation = phase(made)
    assert names(made, operation) == ["dyck@2", "dyck@4", "dyck@8"]
    assert [stage.shares for stage in operation.stages] == [(1.0, 0.0, 0.0)]
    (group,) = operation.mastery
    assert group.feeds == (0, 1, 2)
    assert [rule.measurement.source for rule in group.rules] == ["generate/dyck@2-32", "generate/dyck@4-32"]
    assert [rule.measurement.closers for rule in group.rules] == [(2, 3), (4, 5, 6, 7)]  # type: ignore[union-attr]
    assert {(rule.every, rule.patience, rule.lower_is_better) for rule in group.rules} == {(10, 2, False)}
    assert {source for rule in group.rules for source in [rule.measurement.source]} <= set(operation.inputs())
    assert f"({7}" in operation.vocabulary.tokens
    measure = made.operation("first/s0/warmup/brackets", MeasureOperation)
    assert measure.measurement.source == "generate/dyck-32"


def test_a_group_that_waits_has_its_share_of_a_mixture() -> None:
    data = f"{WARMUP}.data={{ shuffled_four = 1, dyck = 3 }}"
    four = 'sources.shuffled_four={ kind = "shuffled", of = "four" }'
    made = compiled(
        OFTEN, f"grammars.dyck.k={MASTERY}", "grammars.four={ kind = 'dyck', k = 4, length = 32 }", four, data
    ).plan
    operation = phase(made)
    assert [stage.shares for stage in operation.stages] == [(0.25, 0.75, 0.0, 0.0)]
    assert operation.mastery[0].feeds == (1, 2, 3)


def _waits(**changes: str) -> str:
    """A rule of mastery with some of it written otherwise."""
    said = {"mastery": "[2, 4]", "metric": "'brackets/loss'", "threshold": "1.9"} | changes
    return "grammars.dyck.k={ " + ", ".join(f"{key} = {value}" for key, value in said.items()) + " }"


FAULTS = [
    ("P213", [OFTEN, _waits(metric="'braces/loss'")], 'called "braces"'),
    ("P214", [OFTEN, _waits(metric="'brackets/los'")], '"los"'),
    ("P440", [_waits()], "at the end alone"),
    ("P442", [OFTEN, _waits(metric="'brackets/accuracy'", threshold="99.0")], "never 99"),
    ("P442", [OFTEN, _waits(threshold="0.3")], "no model's loss on dyck@2"),
    (
        "P443",
        ["evaluations.prose.every='5 steps'", _waits(metric="'prose/loss'")],
        "whether dyck is mastered",
    ),
    ("P450", [OFTEN, _waits(mastery="[2, 'four']")], "dyck.k cannot become 'four'"),
    ("P451", [OFTEN, _waits(mastery="[2, 4, 2]")], "comes to 2 twice"),
    (
        "P453",
        [OFTEN, _waits(), "grammars.dyck.length={ from = 16, to = 32, by = 2, over = '0%..9%' }"],
        "otherwise",
    ),
    ("P453", [OFTEN, _waits(), f"{WARMUP}.data='shuffled'"], "shuffled is made of dyck"),
    ("P108", [OFTEN, _waits(mastery="[2]")], "1 items"),
    ("P108", [OFTEN, _waits(mastery="[0, 2]")], "0 is out of range"),
    ("P450", ['grammars.dyck.k={ steps = { "0%" = "two" } }'], "dyck.k cannot become 'two'"),
    ("P107", ['grammars.dyck.k={ from = "two", to = 4, over = "0%..50%" }'], "string"),
    ("P319", ['grammars.dyck.k={ steps = { "0%" = 2, "x" = 4 } }'], '"x" is no point'),
    ("P319", ['grammars.dyck.k={ steps = { "50%" = 2, "0%" = 4 } }'], "do not run forward"),
    ("P319", ['grammars.dyck.k={ steps = { "10%" = 2 } }'], "do not run forward"),
    ("P114", ['grammars.dyck.k={ from = 2, to = 4, over = "50%..20%" }'], "does not run forward"),
    ("P105", ['grammars.dyck.k={ from = 2, to = 4, over = "0%..20%", shap = "linear" }'], '"shap"'),
    ("P108", ['grammars.dyck.k={ from = 0, to = 4, over = "0%..20%" }'], "0 is out of range"),
    ("P350", ['grammars.dyck.length={ from = 16, to = 32, over = "0%..20%" }'], "dyck@17"),
    ("P107", ["grammars.dyck.k={ steps = { '0%' = 2.5 } }"], "whole number"),
]


@pytest.mark.parametrize(("code", "sets", "told"), FAULTS, ids=[f"{code}-{told}" for code, _, told in FAULTS])
def test_faults_are_told_where_they_are(code: str, sets: list[str], told: str) -> None:
    found = [fault for fault in errors(*sets) if fault.code == code]
    assert found, errors(*sets)
    assert told in found[0].message, found[0].message
    assert found[0].place


def test_too_many_values_are_refused() -> None:
    points = ", ".join(f'"{i}%" = {i + 2}' for i in range(65))
    (found,) = errors(f"grammars.dyck.k={{ steps = {{ {points} }} }}")
    assert (found.code, found.message) == ("P452", "65 values of dyck.k")


def test_positions_are_exact_parts_of_the_phase() -> None:
    from procdsl.compiler import schedules, source

    read = source.read(MINIMAL, profile=None, sets=['grammars.dyck.k={ from = 2, to = 5, over = "0%..33%" }'])
    _, (found,) = schedules.taken_out(read)
    assert found.starts == tuple(Fraction(33, 400) * i for i in range(4))
    assert compile(MINIMAL, profile=None).plan
