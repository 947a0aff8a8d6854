"""Every rule finds its fault, says so once, with the value, and shows a way out."""

from __future__ import annotations

from inspect import getmembers, isfunction, signature
from pathlib import Path

import pytest

from procdsl.compiler import checks, compile
from procdsl.errors import Severity, SpecError
from tests.compiler.minimal import MINIMAL, compiled, errors

WARMUP = "curricula.first.phases.warmup"
TEXT = "curricula.first.phases.text"
PLAIN = "curricula.plain.phases.text"

ONE = 'curricula.plain.phases=[{ name = "text", data = "prose", '

OFTEN = "evaluations.brackets={ kind = 'loss', on = 'dyck', every = '10%' }"

TASK = "{ kind = 'task', input = 'uniform(sym, length=6)', output = 'input', symbols = { sym = 9 } }"

FAULTS = [
    ("P201", [f'{PLAIN}.data="pose"'], 'called "pose"'),
    ("P201", [f"{PLAIN}.data={{ prose = 1, dick = 1 }}"], 'called "dick"'),
    ("P202", ['sources.shuffled.of="dick"'], 'called "dick"'),
    ("P203", ['evaluations.prose.on="pros"'], 'called "pros"'),
    ("P204", [f'{TEXT}.start.transfer="bdy"'], 'called "bdy"'),
    ("P205", [f'{TEXT}.start.from="warm"'], 'phase of first is called "warm"'),
    ("P205", [f'{TEXT}.start.from="fist.warmup"'], 'curriculum is called "fist"'),
    ("P205", ['transfers.body.rules=[{ component = "head", from = "frist.text" }]'], 'called "frist"'),
    ("P206", [f'{TEXT}.tokens="50% of plain.txt"'], 'called "txt"'),
    ("P207", ['evaluations.brackets.after="warmpu"'], 'called "warmpu"'),
    ("P208", ['compare.metric="pros/loss"'], 'called "pros"'),
    ("P209", ['compare.metric="prose/los"'], '"los"'),
    ("P210", ['sources.dyck={ kind = "shuffled", of = "shuffled" }'], '"dyck" is already'),
    ("P211", [f'{TEXT}.name="warmup"'], '"warmup"'),
    ("P212", ['sources.shuffled.of="shuffled"'], "shuffled -> shuffled"),
    ("P214", [f'{WARMUP}.replay="text"'], 'called "text"'),
    ("P310", ["curricula.plain.phases=[]"], "plain has no phase"),
    ("P311", [f'{PLAIN}.tokens="1M"'], "2 budgets, tokens and steps"),
    ("P311", ['curricula.plain.phases=[{ name = "text", data = "prose" }]'], "does not say how long"),
    ("P312", [f'{WARMUP}.tokens="50%"'], "50% of what?"),
    ("P313", [f'{WARMUP}.tokens="50% of warmup"'], "first.warmup -> first.warmup"),
    ("P314", [f'{WARMUP}.start={{ from = "text", transfer = "body" }}'], "first.text"),
    ("P315", [f'{ONE} steps = 1 }}, {{ name = "more", data = "prose", steps = 1 }}]'], "where it starts"),
    ("P317", [f"{PLAIN}.data={{ prose = -1, dyck = 2 }}"], "-1"),
    ("P318", [f"{PLAIN}.data={{ prose = 1, dyck = 0 }}"], "dyck has a share of zero"),
    ("P318", [PLAIN + '.data={ prose = { steps = { "0%" = 1, "50%" = 0 } } }'], "50% to 100%"),
    ("P319", [PLAIN + '.data={ prose = 1, dyck = { steps = { "0%" = 1, "x" = 0 } } }'], '"x"'),
    ("P319", [PLAIN + '.data={ prose = 1, dyck = { steps = { "50%" = 1, "0%" = 2 } } }'], "forward"),
    ("P321", [f"{PLAIN}.data={{ prose = 1, code = 1 }}"], "prose and code"),
    (
        "P321",
        ['curricula.first.vocabulary="shared"', f'{WARMUP}.data="code"'],
        "reads code and prose",
    ),
    ("P322", ["curricula.plain.baseline=false"], "no curriculum"),
    ("P322", ["curricula.first.baseline=true"], "second baseline"),
    ("P323", ["seeds=[0, 1, 0]"], "seed 0 is there 2 times"),
    ("P324", ["training.batch_tokens=4096"], "told twice"),
    ("P325", [PLAIN + '.freeze=["embedding", "position", "attention", "mlp", "norm"]'], "every component"),
    (
        "P325",
        [
            TEXT
            + '.freeze={ steps = { "0%"=[], "9%"=["embedding", "position", "attention", "mlp", "norm"] } }'
        ],
        "from 9% on",
    ),
    ("P319", [TEXT + '.freeze={ steps = { "10%" = ["mlp"] } }'], "forward from 0%"),
    ("P326", ['corpora.code.tokenizer={ kind = "hub", name = "someone/mine" }'], "someone/mine"),
    ("P327", ["training.optimiser.betas=[0.9, 1.0]"], "beta of 1"),
    ("P330", ["model.heads=3"], "3 heads do not divide a width of 32"),
    ("P331", ['evaluations.prose.kind="answer"'], "no answers"),
    ("P332", ['transfers.body.rules=[{ component = "mlp", action = "shuffle" }]'], "mlp"),
    (
        "P332",
        [
            'transfers.body={ rules = [{ component = "attention", heads = [0, 1] }, '
            '{ component = "attention", action = "shuffle", heads = [1] }] }'
        ],
        "same heads",
    ),
    ("P333", ['transfers.body={ rules = [{ component = "mlp", layers = "0..2" }] }'], "layers 0 to 2 of 2"),
    (
        "P333",
        ['transfers.body={ rules = [{ component = "embedding", action = "mean", layers = 0 }] }'],
        "no layer",
    ),
    ("P334", [f'{TEXT}.start.from="plain.text"', "curricula.first.model={ width = 64 }"], "width of 32"),
    ("P334", [f'{TEXT}.start.from="plain.text"', "curricula.first.model={ layers = 3 }"], "layers: 2"),
    ("P334", ['transfers.body.take=["embedding"]'], "ids"),
    ("P335", ['transfers.body.take=["head"]'], "tied"),
    ("P336", ['transfers.body={ rules = [{ component = "mlp", action = "mean" }] }'], "mean"),
    ("P336", ['transfers.body={ rules = [{ component = "mlp", parts = ["up", "key"] }] }'], "called key"),
    ("P336", ['transfers.body={ rules = [{ component = "mlp", heads = [0] }] }'], "in no head"),
    ("P336", ['transfers.body={ rules = [{ component = "mlp", of = "embedding" }] }'], "its own like"),
    ("P336", ['transfers.body={ rules = [{ component = "position", rows = 2 }] }'], "take draws no rows"),
    ("P337", [f'{TEXT}.start={{ from = "warmup" }}'], "other ids"),
    ("P338", ['transfers.body={ rules = [{ component = "attention", heads = [0, 2] }] }'], "head 2 of 2"),
    (
        "P338",
        ['transfers.body={ rules = [{ component = "embedding", action = "sample_rows", rows = 99 }] }'],
        "99 rows of 11",
    ),
    (
        "P338",
        ['transfers.body={ rules = [{ component = "norm", parts = ["final"], layers = 0 }] }'],
        "behind all layers",
    ),
    (
        "P337",
        [f'{TEXT}.start={{ from = "plain.text" }}', "curricula.first.model={ heads = 1 }"],
        "another model",
    ),
    ("P339", [f'{TEXT}.replay="warmup"'], "reads prose, which warmup does not"),
    (
        "P339",
        [f'{TEXT}.replay="warmup"', f'{TEXT}.data="dyck"'],
        "1,600 rows of dyck, warmup 800",
    ),
    (
        "P339",
        [f'{TEXT}.replay="warmup"', f'{TEXT}.data="dyck"', f"{TEXT}.context=40"],
        "rows of 40, warmup of 32",
    ),
    ("P340", ['evaluations.brackets.every="5 steps"'], "`every`"),
    ("P341", ['evaluations.prose.every="0 steps"'], "0 steps"),
    ("P342", ['evaluations.prose.split="test"'], "no test part"),
    ("P343", ['evaluations.prose.kind="grammaticality"'], "a text has no grammar"),
    (
        "P343",
        [
            f"grammars.task={TASK}",
            f"{PLAIN}.data='task'",
            "evaluations.x={ kind = 'grammaticality', on = 'task' }",
        ],
        "task",
    ),
    ("P350", ["grammars.dyck.length=31"], "31"),
    ("P352", ["grammars.dyck.length=128"], "128"),
    ("P352", ["grammars.long={ kind = 'dyck', k = 2, length = 128 }", f"{PLAIN}.data='long'"], "128"),
    (
        "P358",
        [f"grammars.task={TASK}", "sources.like={ kind = 'ngram', of = 'task', order = 2 }"],
        "imitates words",
    ),
    ("P403", [f"{ONE} tokens = 10 }}]"], "less than one step"),
    ("P403", [f"{PLAIN}.steps=0"], "less than one step"),
    ("P404", [f"{PLAIN}.context=128"], "128"),
    ("P405", [PLAIN + ".training={ batch_tokens = 63 }"], "no whole row of 64"),
    ("P406", ['training.schedule.warmup="101 steps"'], "101 steps"),
    ("P408", [f"{PLAIN}.steps=20_000"], "at most"),
    ("P420", ['evaluations.brackets.after="text"'], "cannot be made"),
    (
        "P421",
        ['evaluations.prose.every="1 step"', f"{PLAIN}.steps=20_000", f"{PLAIN}.context=1"],
        "20,000 times",
    ),
    ("P213", [f'{WARMUP}.stop={{ metric = "braces/loss", reaches = 1 }}'], 'called "braces"'),
    ("P213", [f'{WARMUP}.stop={{ metric = "brackets", reaches = 1 }}'], "one of its metrics"),
    ("P214", [OFTEN, f'{WARMUP}.stop={{ metric = "brackets/closer_acuracy", reaches = 1 }}'], "acuracy"),
    ("P440", [f'{WARMUP}.stop={{ metric = "brackets/loss", reaches = 1.2 }}'], "at the end alone"),
    (
        "P440",
        [
            OFTEN,
            'evaluations.brackets.split="test"',
            f'{WARMUP}.stop={{ metric = "brackets/loss", reaches = 2 }}',
        ],
        "test part",
    ),
    ("P441", [OFTEN, f'{PLAIN}.stop={{ metric = "brackets/loss", reaches = 1.2 }}'], "ids of dyck"),
    ("P441", [f'{WARMUP}.stop={{ metric = "prose/loss", reaches = 1.2 }}'], "ids of prose"),
    ("P442", [OFTEN, f'{WARMUP}.stop={{ metric = "brackets/accuracy", reaches = 97 }}'], "never 97"),
    ("P442", [OFTEN, f'{WARMUP}.stop={{ metric = "brackets/loss", reaches = 0 }}'], "no loss"),
    (
        "P442",
        [OFTEN, f'{WARMUP}.stop={{ metric = "brackets/loss", reaches = 1.0 }}'],
        "no model's loss on dyck",
    ),
    ("P442", [OFTEN, f'{WARMUP}.stop={{ metric = "brackets/loss", reaches = 2, for = 11 }}'], "10 times"),
    ("P442", ["compare.threshold=-1.0"], "no loss falls to -1"),
    ("P430", ["model.width=99_998", "model.layers=999"], "parameters"),
    ("P431", [f"{WARMUP}.tokens=999_999_999_999_999_999"], "years of an H100"),
    ("P432", ['seeds="0..9999"'], "20,000 trials"),
]


@pytest.mark.parametrize(("code", "sets", "told"), FAULTS, ids=[f"{code}-{told}" for code, _, told in FAULTS])
def test_a_fault_is_found_told_and_can_be_mended(code: str, sets: list[str], told: str) -> None:
    found = [fault for fault in errors(*sets) if fault.code == code]
    assert found, f"only {errors(*sets)}"
    assert any(told in fault.message for fault in found), found
    assert all(fault.place and fault.help for fault in found)


def test_every_rule_takes_what_there_is_at_some_point() -> None:
    taken = {("spec",), ("spec", "settled"), ("study",), ("study", "plan")}
    rules = [rule for module in checks.MODULES for _, rule in getmembers(module, isfunction)]
    own = [rule for rule in rules if rule.__module__.startswith("procdsl.compiler.checks.")]
    assert {tuple(signature(rule).parameters) for rule in own if rule.__name__[0] != "_"} == taken


def test_what_is_written_well_is_let_through() -> None:
    assert errors() == []


def test_every_fault_is_found_at_once() -> None:
    sets = ("model.heads=3", 'compare.metric="pros/loss"', "seeds=[1, 1]", f"{PLAIN}.data={{ prose = -1 }}")
    assert {fault.code for fault in errors(*sets)} >= {"P330", "P208", "P323", "P317"}


def test_a_copy_that_changes_a_phase_it_does_not_name_is_told_of() -> None:
    phases = '[{ name = "warmup", data = "dyck", tokens = "50% of text" }, { name = "text", data = "prose", '
    start = 'start = { from = "warmup", transfer = "body" }, steps = '
    copy = 'curricula.copy={ like = "first", phases = [{ name = "text", steps = 50 }] }'
    found = compiled(f"curricula.first.phases={phases}{start}100 }}]", copy).diagnostics
    (told,) = [one for one in found if one.code == "P407"]
    assert told.severity is Severity.WARNING
    assert "copy.warmup" in told.message


def test_a_text_of_few_documents_is_told_of() -> None:
    few = '{ kind = "hub", path = "allenai/c4", documents = 10, tokenizer = { kind = "hub", name = "gpt2" } }'
    found = compiled(f"corpora.prose={few}").diagnostics
    assert [one.severity for one in found if one.code == "P410"] == [Severity.WARNING]


def test_evaluations_that_take_longer_than_training_are_told_of() -> None:
    found = compiled("evaluations.prose.rows=100_000").diagnostics
    assert {(one.code, one.severity) for one in found} == {("P433", Severity.WARNING)}


def test_text_read_again_through_another_curriculum_is_told_of() -> None:
    found = compiled(f'{TEXT}.start={{ from = "plain.text", transfer = "body" }}').diagnostics
    assert [one.severity for one in found if one.code == "P411"] == [Severity.WARNING]
    assert not [one for one in compiled().diagnostics if one.code == "P411"]


@pytest.mark.parametrize("quotes", ["'", '"', "'''", '"""\n'])
def test_what_is_wrong_in_an_expression_is_pointed_at(tmp_path: Path, quotes: str) -> None:
    shut = quotes.strip()
    task = "[grammars.task]\nkind = 'task'\ninput = 'uniform(sym, length=4)'\nsymbols = { sym = 4 }"
    spec = tmp_path / "spec.toml"
    spec.write_text(f"{MINIMAL.read_text()}\n{task}\noutput = {quotes}input | revers{shut}\n")
    with pytest.raises(SpecError) as raised:
        compile(spec, profile=None)
    (fault,) = raised.value.diagnostics
    assert fault.place
    line = spec.read_text().splitlines()[fault.place.line - 1]
    assert line[fault.place.column - 1 :][: fault.place.width] == "revers"


def test_a_part_of_a_grammar_need_not_fit_the_rows_of_the_whole() -> None:
    part = "grammars.part={ kind = 'regex', pattern = '(a | b | c)*', length = 64 }"
    whole = "grammars.whole={ kind = 'expr', expr = 'part & part', length = 32 }"
    assert errors(part, whole, f"{WARMUP}.data='whole'", "evaluations.brackets.on='whole'") == []
