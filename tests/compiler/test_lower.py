"""The plan: operations in order, each once, with everything said that changes a number."""

from __future__ import annotations

import math

import pytest

from procdsl.plan import (
    COMPONENTS,
    GenerateOperation,
    MeasureOperation,
    Plan,
    PrepareOperation,
    TrainOperation,
    TransferOperation,
)
from runner.shares import fed
from tests.compiler.minimal import compiled

TEXT = "curricula.first.phases.text"
COPY = 'curricula.half={ like = "first", phases = [{ name = "text", tokens = "50% of plain.text" }] }'


def plan(*sets: str) -> Plan:
    return compiled(*sets).plan


def test_operations_stand_after_those_they_read() -> None:
    seen: set[str] = set()
    for operation in plan(COPY).operations:
        assert set(operation.inputs()) <= seen
        seen.add(operation.id)


def test_arms_that_begin_alike_share_their_beginning() -> None:
    made = plan(COPY)
    trials = {(trial.curriculum, trial.seed): trial for trial in made.trials}
    first, half = trials["first", 0], trials["half", 0]
    assert first.phases[0] == half.phases[0]
    assert first.phases[1].train != half.phases[1].train
    assert "first/s0/warmup/brackets" in half.measures
    starts = [operation.id for operation in made.of_kind(TransferOperation)]
    assert starts == ["first/s0/text/start", "first/s1/text/start"]


def test_equal_operations_have_one_key_and_different_ones_have_their_own() -> None:
    made = plan(COPY)
    assert len(set(made.keys.values())) == len(made.operations)


def test_another_arm_changes_no_key() -> None:
    before, after = plan().keys, plan(COPY).keys
    assert {id: after[id] for id in before} == before


ALIKE = (
    'corpora.bigrams={ kind = "ngram", of = "prose", order = 2, tokens = 9_000_000 }',
    'corpora.permuted={ kind = "shuffled", of = "prose" }',
    'curricula.before={ phases = [{ name = "warmup", tokens = "100k", data = { bigrams = 1, permuted = 3 } },'
    ' { name = "text", tokens = "1M", data = "prose", start = { from = "warmup" } }] }',
)


def test_what_is_made_of_a_text_reads_it_and_is_procedural_in_its_ids() -> None:
    before, made = plan(), plan(*ALIKE)
    assert {id: made.keys[id] for id in before.keys} == before.keys
    text, bigrams, permuted = (
        made.operation(f"prepare/{name}", PrepareOperation) for name in ("prose", "bigrams", "permuted")
    )
    assert bigrams.inputs() == permuted.inputs() == ("prepare/prose",)
    assert (bigrams.tokenizer, bigrams.validation_share) == (text.tokenizer, text.validation_share)
    assert text.train_tokens == 9_000_000 > before.operation("prepare/prose", PrepareOperation).train_tokens
    trial = next(trial for trial in made.trials if trial.curriculum == "before")
    warmup, last = (made.operation(phase.train, TrainOperation) for phase in trial.phases)
    assert warmup.vocabulary == last.vocabulary
    assert warmup.vocabulary.text == "prepare/prose"
    assert [(phase.text_tokens > 0, phase.procedural_tokens > 0) for phase in trial.phases] == [
        (False, True),
        (True, False),
    ]
    assert fed(made, trial).text == trial.phases[1].text_tokens


def test_a_rule_that_ends_a_phase_carries_what_it_watches() -> None:
    often = "evaluations.brackets={ kind = 'loss', on = 'dyck', every = '10%', rows = 64 }"
    rule = (
        'curricula.first.phases.warmup.stop={ metric = "brackets/closer_accuracy", reaches = 0.97, for = 2 }'
    )
    made, before = plan(often, rule), plan(often)
    warmup = made.operation("first/s0/warmup", TrainOperation)
    measured = made.operation("first/s0/warmup/brackets", MeasureOperation)
    assert warmup.stop is not None
    assert warmup.stop.measurement == measured.measurement
    assert measured.measurement.closers == (4, 5, 6, 7)  # type: ignore[union-attr]
    assert (warmup.stop.every, warmup.stop.patience, warmup.stop.lower_is_better) == (10, 2, False)
    assert warmup.steps == 100  # schedule and budgets are of the most it may take
    changed = {id for id in made.keys if made.keys[id] != before.keys[id]}
    assert {"first/s0/warmup", "first/s1/text"} <= changed
    assert not any(id.startswith(("plain", "generate")) for id in changed)


def test_a_sweep_stops_each_copy_by_its_own_evaluation() -> None:
    often = "evaluations.brackets={ kind = 'loss', on = 'dyck', every = '10%' }"
    rule = 'curricula.first.phases.warmup.stop={ metric = "brackets/loss", reaches = 2.5 }'
    made = plan(often, rule, 'sweep={ "grammars.dyck.k" = [4, 8] }')
    for k in (4, 8):
        warmup = made.operation(f"first_k{k}/s0/warmup", TrainOperation)
        assert warmup.stop is not None
        assert warmup.stop.measurement.source == f"generate/dyck_k{k}-32"


def test_an_evaluation_changes_no_key_of_training() -> None:
    before, after = plan(), plan('evaluations.prose.every="5 steps"')
    trained = [one.id for one in before.of_kind(TrainOperation)]
    assert [before.keys[id] for id in trained] == [after.keys[id] for id in trained]


def test_every_component_is_accounted_for() -> None:
    (transfer, _) = plan().of_kind(TransferOperation)
    assert {rule.component: rule.action for rule in transfer.rules} == {
        "attention": "take",
        "mlp": "take",
        "norm": "take",
        "embedding": "fresh",
        "position": "fresh",
    }
    untied = plan("model.tied=false")
    (transfer, _) = untied.of_kind(TransferOperation)
    assert {rule.component for rule in transfer.rules} == set(COMPONENTS)


def test_parts_of_two_models_are_trained_first() -> None:
    rules = '{ rules = [{ component = "attention", from = "other.warmup" }, { component = "mlp" }] }'
    other = 'curricula.other={ phases = [{ name = "warmup", data = "shuffled", steps = 10 }] }'
    made = plan(f"transfers.body={rules}", other)
    transfer = made.by_id["first/s0/text/start"]
    assert transfer.inputs() == ("prepare/prose", "other/s0/warmup", "first/s0/warmup")


def test_measurements_are_at_the_first_step_the_last_and_between() -> None:
    made = plan("curricula.plain.phases.text.steps=60")
    assert made.operation("plain/s0/text/prose", MeasureOperation).steps == (0, 25, 50, 60)
    assert made.operation("first/s0/warmup/brackets", MeasureOperation).steps == (60,)


def test_a_grammar_brings_its_floor() -> None:
    dyck = plan().operation("generate/dyck-32", GenerateOperation)
    assert dyck.floor is not None
    words = math.comb(32, 16) // 17 * 4**16
    assert dyck.floor.low == pytest.approx(math.log(words) / 32)


def test_data_is_seeded_by_the_trial_unless_the_study_says_otherwise() -> None:
    seeds = {(one.seed, one.data_seed) for one in plan().of_kind(TrainOperation)}
    assert seeds == {(0, 0), (1, 1)}
    seeds = {(one.seed, one.data_seed) for one in plan("data_seed=7").of_kind(TrainOperation)}
    assert seeds == {(0, 7), (1, 7)}


def test_text_and_procedural_tokens_are_counted_apart() -> None:
    mixed = 'curricula.mixed={ phases = [{ name = "t", data = { prose = 3, dyck = 1 }, steps = 10 }] }'
    (phase,) = next(trial for trial in plan(mixed).trials if trial.curriculum == "mixed").phases
    assert (phase.text_tokens, phase.procedural_tokens) == (60 * 64, 20 * 64)


def test_the_file_form_is_the_plan() -> None:
    made = plan(COPY)
    again = Plan.model_validate_json(made.model_dump_json())
    assert again == made
    assert again.keys == made.keys
