"""What a phase changes of its training is changed, and nothing else."""

from __future__ import annotations

from procdsl.language.optimiser import TrainingChange, TrainingSpec, training_of

BASE = TrainingSpec.model_validate(
    {
        "batch_tokens": 4096,
        "optimiser": {"lr": 1e-3, "weight_decay": 0.1},
        "schedule": {"kind": "cosine", "warmup": "5%"},
    }
)


def test_no_change_changes_nothing() -> None:
    assert training_of(BASE, None) == BASE
    assert training_of(BASE, TrainingChange()) == BASE


def test_tables_change_key_by_key() -> None:
    change = TrainingChange.model_validate(
        {"optimiser": {"weight_decay": 0.0}, "schedule": {"kind": "linear"}}
    )
    changed = training_of(BASE, change)
    assert (changed.optimiser.lr, changed.optimiser.weight_decay) == (1e-3, 0.0)
    assert (changed.schedule.kind, str(changed.schedule.warmup)) == ("linear", "5%")
    assert changed.precision == BASE.precision


def test_a_batch_in_rows_takes_the_place_of_one_in_tokens() -> None:
    changed = training_of(BASE, TrainingChange(batch_rows=8))
    assert (changed.batch_rows, changed.batch_tokens) == (8, None)
