"""Budgets, contexts, vocabularies and cursors as they are settled."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from procdsl.compiler import measures
from procdsl.compiler.budgets import Budgets
from procdsl.compiler.names import procedural
from procdsl.compiler.resolve import resolve, rows_read
from procdsl.compiler.study import Phase, Study
from procdsl.language.study import ExperimentSpec
from tests.compiler.minimal import compiled, resolved, spec

PLAIN = "curricula.plain.phases.text"
BATCH = 'training={ batch_tokens = 1000, optimiser = { lr = 1 }, schedule = { kind = "constant" } }'


def phase(study: Study, curriculum: str, name: str) -> Phase:
    return study.by_address[curriculum, name]


def test_relative_budgets_follow_the_settled_ones() -> None:
    study = resolved(f"{PLAIN}.steps=101")
    assert phase(study, "first", "text").steps == 101
    # rows of 32 and of 64: half of 101 steps of 8 × 64 tokens, in steps of 8 × 32
    assert phase(study, "first", "warmup").steps == 101


def test_a_phase_is_as_long_as_its_longest_row_and_text_fills_the_model() -> None:
    study = resolved(f"{PLAIN}.data={{ prose = 1, dyck = 1 }}")
    assert phase(study, "first", "warmup").context == 32
    assert phase(study, "plain", "text").context == 64


def test_a_batch_in_tokens_becomes_whole_rows_and_says_so() -> None:
    assert phase(resolved(BATCH), "first", "warmup").batch_rows == 31
    told = [found.message for found in compiled(BATCH).diagnostics if found.code == "P401"]
    assert "first.warmup: a batch of 1,000 tokens becomes 31 rows of 32 = 992 tokens" in told


def test_warm_up_in_percent_is_of_the_phase() -> None:
    assert phase(resolved(), "plain", "text").schedule.warmup == 10


def test_text_phases_share_one_layout_and_procedural_ones_have_their_own() -> None:
    study = resolved(
        'curricula.mixed={ phases = [{ name = "t", data = { prose = 1, dyck = 1 }, steps = 1 }] }'
    )
    tokens = study.procedural["dyck"].tokens()
    assert phase(study, "plain", "text").layout == phase(study, "mixed", "t").layout
    assert phase(study, "plain", "text").layout.tokens == tokens
    assert phase(study, "first", "warmup").layout.text is None
    assert phase(resolved(), "plain", "text").layout.tokens == ()


def test_what_is_mixed_with_one_text_changes_no_other() -> None:
    study = resolved(
        'curricula.a={ phases = [{ name = "t", data = { code = 1, dyck = 1 }, steps = 1 }] }',
        "curricula.b={ phases = [{ name = 't', data = 'code', steps = 1 }] }",
    )
    assert phase(study, "b", "t").layout.tokens
    assert phase(study, "plain", "text").layout.tokens == ()


def test_last_readers_begin_at_the_beginning_and_earlier_ones_behind_them_all() -> None:
    study = resolved('curricula.first.phases.warmup.data="prose"')
    # 100 steps × 8 rows are less than one block of 1,024 rows of 64 tokens
    assert phase(study, "plain", "text").offsets == {"prose": 0}
    assert phase(study, "first", "text").offsets == {"prose": 0}
    assert phase(study, "first", "warmup").offsets == {"prose": 1024 * 64}


@settings(max_examples=60)
@given(
    tokens=st.integers(1, 10**12),
    batch=st.integers(64, 10**6),
    percent=st.integers(1, 400),
)
def test_budgets_are_the_nearest_whole_steps(tokens: int, batch: int, percent: int) -> None:
    written = spec(
        BATCH.replace("1000", str(batch)),
        f"curricula.plain.phases=[{{ name = 'text', data = 'prose', tokens = {tokens} }}]",
        f'curricula.first.phases.text.tokens="{percent}% of plain.text"',
    )
    settled = Budgets(written, procedural(written)).all()
    for budget in settled.values():
        assert abs(budget.step_tokens - batch) <= budget.context / 2
        if budget.asked >= budget.step_tokens:
            assert abs(budget.tokens - budget.asked) <= Fraction(budget.step_tokens, 2)
    assert settled["first", "text"].asked == Fraction(percent, 100) * settled["plain", "text"].tokens


courses = st.lists(
    st.tuples(
        st.sets(st.sampled_from(["prose", "dyck", "shuffled"]), min_size=1),
        st.integers(1, 900),
        st.sampled_from([32, 48, 64]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60)
@given(arms=st.lists(courses, min_size=1, max_size=3))
def test_a_curriculum_reads_no_row_twice_and_ends_where_all_end(
    arms: list[list[tuple[set[str], int, int]]],
) -> None:
    written = spec()
    curricula = {
        f"arm{number}": {
            "phases": [
                {
                    "name": f"p{i}",
                    "data": dict.fromkeys(sorted(data), 1),
                    "steps": steps,
                    "context": context,
                    **({"start": "fresh"} if i else {}),
                }
                for i, (data, steps, context) in enumerate(course)
            ]
        }
        for number, course in enumerate(arms)
    }
    plain = written.model_copy(
        update={
            "curricula": {
                name: type(written.curricula["plain"]).model_validate(arm) for name, arm in curricula.items()
            },
            "evaluations": {},
        }
    )
    study = _study(plain)
    for course in study.curricula.values():
        for feed in ("prose", "dyck", "shuffled"):
            spans = []
            for one in course:
                if feed in one.feeds:
                    unit = one.context if feed == "prose" else 1
                    end = one.offsets[feed] + rows_read(one, feed) * unit
                    spans.append((one.offsets[feed], end))
            if spans:
                assert spans[-1][0] == 0
            ordered = sorted(spans)
            assert all(a[1] <= b[0] for a, b in pairwise(ordered))
            if feed == "prose" and spans:
                assert measures.text_needs(study)["prose"].train > max(end for _, end in spans)


def _study(written: ExperimentSpec) -> Study:
    return resolve(written, Budgets(written, procedural(written)).all())
