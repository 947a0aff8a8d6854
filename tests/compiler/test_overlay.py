"""Overlays: what is laid over what, in which order, and that every value keeps its own place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from procdsl.compiler import compile, overlay, source
from procdsl.compiler.source import Source
from procdsl.errors import SpecError, UsageError

GOOD = (Path(__file__).parent / "good.toml").read_text()


@pytest.fixture
def study(tmp_path: Path) -> Any:
    """A reader of studies that extend the good one."""
    (tmp_path / "good.toml").write_text(GOOD)

    def read(text: str, *, profile: str | None = None, sets: tuple[str, ...] = ()) -> Source:
        (tmp_path / "study.toml").write_text('extends = "good.toml"\n' + text)
        return source.read(tmp_path / "study.toml", profile=profile, sets=sets)

    return read


def where(read: Source, *path: str | int) -> str:
    place = read.places.at(path)
    return f"{Path(place.file).name}:{place.line}:{place.column}"


def test_later_overlays_win_and_values_keep_their_places(study: Any) -> None:
    text = "[model]\nlayers = 2\nwidth = 24\n[profiles.small]\nmodel = { width = 32, heads = 4 }\n"
    read = study(text, profile="small", sets=("model.heads=8", "training.batch_rows=2"))
    assert read.data["model"] == {"layers": 2, "heads": 8, "width": 32, "context": 32}
    assert where(read, "model", "context") == "good.toml:20:11"
    assert where(read, "model", "layers") == "study.toml:3:10"
    assert where(read, "model", "width") == "study.toml:6:19"
    assert where(read, "model", "heads") == "--set:1:13"
    assert where(read, "training", "batch_rows") == "--set:2:21"
    assert where(read, "model", "nothing", "there") == "good.toml:16:2"
    assert read.lines("--set") == ["model.heads=8", "training.batch_rows=2"]
    assert "profiles" not in read.data
    assert "extends" not in read.data


def test_named_lists_merge_by_name_and_new_items_find_their_place(study: Any) -> None:
    read = study(
        "[curricula.other]\nlike = 'alone'\n"
        "phases = [{ name = 'warmup', data = 'prose', tokens = 128 }, { name = 'learn', start = 'fresh' },"
        " { name = 'last' }]\n"
    )
    phases = read.data["curricula"]["other"]["phases"]
    assert [phase["name"] for phase in phases] == ["warmup", "learn", "last"]
    assert phases[1] == {"name": "learn", "data": "dyck", "tokens": 8192, "start": "fresh"}
    assert read.data["curricula"]["alone"]["phases"] == [{"name": "learn", "data": "dyck", "tokens": 8192}]
    assert where(read, "curricula", "other", "phases", 1, "tokens") == "good.toml:32:53"


def test_another_kind_replaces_and_so_do_shares_and_laws(study: Any) -> None:
    read = study(
        "corpora.prose.tokenizer = { kind = 'bpe', size = 512 }\n"
        "grammars.dyck.length = { uniform = [8, 16] }\n"
        "curricula.alone.phases.learn.data = { dyck = 1, prose = 2 }\n"
        "[profiles.p]\ngrammars.dyck.length = { choice = { 8 = 1.0 } }\n"
        "'curricula.alone.phases.learn.data' = { prose = 1 }\n",
        profile="p",
    )
    assert read.data["corpora"]["prose"]["tokenizer"] == {"kind": "bpe", "size": 512}
    assert read.data["grammars"]["dyck"]["length"] == {"choice": {"8": 1.0}}
    assert read.data["curricula"]["alone"]["phases"][0]["data"] == {"prose": 1}


def test_like_takes_all_but_being_the_baseline_whatever_the_order(study: Any) -> None:
    read = study(
        "[curricula.a]\nlike = 'b'\n"
        "[curricula.b]\nlike = 'alone'\nphases = [{ name = 'learn', tokens = 256 }]\n"
    )
    assert read.data["curricula"]["a"]["phases"][0]["tokens"] == 256
    assert "baseline" not in read.data["curricula"]["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("64", 64), ("1e-3", 1e-3), ("1M", "1M"), ('"64"', "64"), ("[1, 2]", [1, 2]),
     ("5% of alone.learn", "5% of alone.learn"),
     ("{ uniform = [2, 4] }", {"uniform": [2, 4]}), ("true", True)],
)  # fmt: skip
def test_set_reads_toml_values_and_bare_words(study: Any, text: str, value: Any) -> None:
    assert study("", sets=(f"grammars.dyck.k={text}",)).data["grammars"]["dyck"]["k"] == value


def test_set_reaches_phases_by_name_by_number_and_through_like(study: Any) -> None:
    read = study(
        "[curricula.other]\nlike = 'alone'\n",
        sets=("curricula.alone.phases.learn.tokens=128", "curricula.alone.phases.0.context=16",
              "curricula.other.phases.learn.tokens=256"),
    )  # fmt: skip
    assert read.data["curricula"]["alone"]["phases"] == [
        {"name": "learn", "data": "dyck", "tokens": 128, "context": 16}
    ]
    assert read.data["curricula"]["other"]["phases"][0]["tokens"] == 256


@pytest.mark.parametrize(
    ("text", "column", "way"),
    [
        ("grammars.dick.k=3", 1, "dyck"),
        ("curricula.alone.phases.lern.tokens=3", 1, "learn"),
        ("model.layers", 1, "--set"),
        ("..=3", 1, "--set"),
        ("model.layers=[1", 14, "quote"),
        ("model.layers=1\nmodel = 3", 14, "quote"),
        ("model.layers.deep=1", 1, "none"),
    ],
)
def test_a_set_that_cannot_be_is_told(study: Any, text: str, column: int, way: str) -> None:
    with pytest.raises(SpecError) as raised:
        study("", sets=("model.heads=1", text))
    (found,) = raised.value.diagnostics
    assert (found.code, found.place.file, found.place.line, found.place.column) == (
        "P123",
        "--set",
        2,
        column,
    )
    assert way in found.help


def test_an_unknown_key_set_is_told_with_what_was_meant(study: Any, tmp_path: Path) -> None:
    study("")
    with pytest.raises(SpecError) as raised:
        compile(tmp_path / "study.toml", sets=["model.layer=2"])
    (found,) = raised.value.diagnostics
    assert (str(found.place), found.code, found.source_line) == ("--set:1:1", "P105", "model.layer=2")
    assert "layers" in found.help


def test_the_cpu_profile_is_chosen_and_said_where_there_is_no_accelerator(
    study: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[profiles.cpu]\nmodel.layers = 2\n"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    read = study(text, profile="auto")
    (note,) = read.notes
    assert (read.profile, read.data["model"]["layers"]) == ("cpu", 2)
    assert note.message == 'there is no accelerator here, so profile "cpu" changes model.layers 1 → 2'
    assert study(text, profile=None).data["model"]["layers"] == 1
    assert study(text, profile="none").notes == ()
    with pytest.raises(UsageError, match="no profile"):
        study(text, profile="gpu")


def test_the_note_names_a_list_that_becomes_shorter(study: Any) -> None:
    (note,) = study("seeds = [0, 1, 2]\n[profiles.cpu]\nseeds = [0, 1]\n", profile="cpu").notes
    assert note.message == 'profile "cpu" changes seeds [0, 1, 2] → [0, 1]'


def test_an_accelerator_keeps_the_study_as_it_is(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "accelerators", lambda: 1)
    read = study("[profiles.cpu]\nmodel.layers = 2\n", profile="auto")
    assert (read.profile, read.data["model"]["layers"]) == (None, 1)


def test_a_sweep_multiplies_what_it_changes_and_nothing_else(study: Any, tmp_path: Path) -> None:
    read = study(
        """
sources.mixed = { kind = "shuffled", of = "dyck" }
[curricula.plain]
phases = [{ name = "text", data = "prose", tokens = "50% of alone.learn" }]
[curricula.both]
like = "alone"
phases = [{ name = "learn", data = { mixed = 1, prose = 1 } }]
[sweep]
"grammars.dyck.k" = [2, 8]
curricula.plain.phases.text.context = [16, 32]
"""
    )
    data = read.data
    assert list(data["grammars"]) == ["dyck_k2", "dyck_k8"]
    assert data["sources"]["mixed_k8"] == {"kind": "shuffled", "of": "dyck_k8"}
    assert list(data["curricula"]) == [
        "alone_k2", "alone_k8", "plain_k2_context16", "plain_k2_context32",
        "plain_k8_context16", "plain_k8_context32", "both_k2", "both_k8",
    ]  # fmt: skip
    assert data["curricula"]["both_k8"]["phases"][0]["data"] == {"mixed_k8": 1, "prose": 1}
    assert data["curricula"]["plain_k8_context16"]["phases"][0]["tokens"] == "50% of alone_k8.learn"
    assert [name for name, arm in data["curricula"].items() if arm.get("baseline")] == ["alone_k2"]
    assert list(data["evaluations"]) == ["brackets_k2", "brackets_k8"]
    assert data["evaluations"]["brackets_k8"]["phases"] == [
        "alone_k8.learn", "plain_k8_context16.text", "plain_k8_context32.text", "both_k8.learn"
    ]  # fmt: skip
    assert where(read, "grammars", "dyck_k8", "k") == "study.toml:10:25"


def test_a_sweep_follows_the_names_inside_texts_of_grammars(study: Any, tmp_path: Path) -> None:
    read = study(
        """
[grammars.twice]
kind = "expr"
expr = "repeat(dyck, 2) | 'dyck' | regex('dyck')"
length = 8
[grammars.copied]
kind = "task"
input = { dyck = "word(dyck)" }
output = "dyck"
[grammars.weighed]
kind = "iid"
symbols = 4
weights = "corpus(prose, 1000)"
length = 8
[sweep]
"grammars.dyck.k" = [2, 8]
"corpora.prose.megabytes" = [1, 2]
"""
    )
    grammars = read.data["grammars"]
    assert grammars["twice_k8"]["expr"] == "repeat(dyck_k8, 2) | 'dyck' | regex('dyck')"
    assert (grammars["copied_k8"]["input"], grammars["copied_k8"]["output"]) == (
        {"dyck": "word(dyck_k8)"},
        "dyck",
    )
    assert grammars["weighed_megabytes2"]["weights"] == "corpus(prose_megabytes2, 1000)"
    assert set(grammars) == {
        *(f"{name}_k{k}" for name in ("dyck", "twice", "copied") for k in (2, 8)),
        *(f"weighed_megabytes{size}" for size in (1, 2)),
    }


def test_a_sweep_of_training_reaches_every_phase_that_does_not_say_otherwise(
    study: Any, tmp_path: Path
) -> None:
    read = study(
        "[curricula.own]\nlike = 'alone'\n"
        "phases = [{ name = 'learn', training = { optimiser = { lr = 0.5 } } }]\n"
        "[sweep]\ntraining.optimiser.lr = [0.1, 0.2]\n"
    )
    arms = read.data["curricula"]
    assert list(arms) == ["alone_lr0_1", "alone_lr0_2", "own"]
    assert arms["alone_lr0_2"]["phases"][0]["training"] == {"optimiser": {"lr": 0.2}}
    assert len(compile(tmp_path / "study.toml").plan.trials) == 6


def test_a_sweep_too_large_is_refused(study: Any) -> None:
    values = list(range(40))
    with pytest.raises(SpecError, match="1,600 combinations"):
        study(f"[sweep]\n'grammars.dyck.k' = {values}\n'grammars.dyck.depth' = {values}\n")


def test_a_sweep_that_changes_the_baseline_compares_like_with_like(tmp_path: Path) -> None:
    """Each learning rate has its own baseline, and curricula keep the name that they share."""
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "study.toml").write_text(
        "extends = 'good.toml'\n[curricula.other]\nlike = 'alone'\n"
        "[sweep]\ntraining.optimiser.lr = [0.1, 0.2]\n'grammars.dyck.depth' = [4, 8]\n"
    )
    found = compile(tmp_path / "study.toml").plan.comparisons
    assert [one.name for one in found] == [
        f"lr{lr}_depth{depth}" for lr in ("0_1", "0_2") for depth in (4, 8)
    ]
    last = found[-1]
    assert last.baseline == "alone_lr0_2_depth8"
    assert dict(last.curricula)["other"] == "other_lr0_2_depth8"
    assert set(dict(found[0].curricula)) == set(dict(last.curricula))
    assert not set(dict(found[0].curricula).values()) & set(dict(last.curricula).values())
