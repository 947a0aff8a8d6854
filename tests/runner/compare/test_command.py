"""`procdsl compare` on a study that was really run: every number again, from the journals alone."""

import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from procdsl.cli import app

T_975 = {1: 12.706204736432095, 2: 4.302652729911275}
SPEC = """
procdsl = 1
name = "small"
seeds = [0, 1]
[grammars.dyck]
kind = "dyck"
k = 4
length = 32
[corpora.prose]
kind = "files"
paths = ["prose.txt"]
format = "text"
tokenizer = { kind = "bytes" }
[model]
layers = 1
heads = 1
width = 16
context = 32
[training]
batch_tokens = 256
precision = "fp32"
optimiser = { kind = "adamw", lr = 3e-2 }
schedule = { kind = "cosine" }
[transfers.body]
take = ["attention", "mlp", "norm"]
[curricula.text_only]
baseline = true
phases = [{ name = "text", data = "prose", tokens = "10240" }]
[[curricula.dyck_first.phases]]
name = "warmup"
data = "dyck"
tokens = "20% of text_only.text"
[[curricula.dyck_first.phases]]
name = "text"
data = "prose"
tokens = "100% of text_only.text"
start = { from = "warmup", transfer = "body" }
[curricula.dyck_less]
like = "dyck_first"
phases = [{ name = "text", tokens = "50% of text_only.text" }]
[evaluations.prose]
kind = "loss"
on = "prose"
every = "10%"
rows = 8
[compare]
metric = "prose/loss"
"""


def procdsl(*words: object) -> Any:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "--json" in words else done.stdout


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    lines = (
        f"On day {i} the {('cat', 'dog', 'owl')[i % 3]} saw {i * 37 % 101} birds.\n" for i in range(4000)
    )
    (folder / "prose.txt").write_text("\n".join(lines))
    path = folder / "small.toml"
    path.write_text(SPEC)
    procdsl("run", path, "--no-tracking", "--jobs", 1, "--threads", 1, "--quiet")
    return path


def journals(store: Path, curriculum: str, seed: int) -> list[dict[str, Any]]:
    """All points of a trial in order, with what was fed before its phases added, by the readable names."""
    found, text, total = [], 0, 0
    for phase in sorted((store / "studies/small" / curriculum / f"s{seed}").iterdir()):
        points = [json.loads(line) for line in (phase / "journal.jsonl").read_text().splitlines()]
        points = [point for point in points if "m" in point]
        is_text = "text" in phase.name
        found += [p | {"text": text + p["n"] * is_text, "total": total + p["n"]} for p in points]
        fed = max(point["n"] for point in points)
        text, total = text + fed * is_text, total + fed
    return found


def test_each_number_can_be_recomputed_from_the_journals_by_hand(spec: Path) -> None:
    found = procdsl("compare", spec, "--json")
    curves = {}
    for arm in ("text_only", "dyck_first", "dyck_less"):
        for seed in (0, 1):
            points = journals(spec.parent / ".procdsl", arm, seed)
            curves[arm, seed] = [
                (p["text"], p["total"], p["m"]["eval/prose/loss"])
                for p in points
                if "eval/prose/loss" in p["m"]
            ]
    assert [arm["name"] for arm in found["curricula"]] == ["text_only", "dyck_first", "dyck_less"]
    for arm in found["curricula"]:
        own, base = ([curves[name, seed] for seed in (0, 1)] for name in (arm["name"], "text_only"))
        assert (arm["text_tokens"], arm["total_tokens"]) == own[0][-1][:2]
        finals = [curve[-1][2] for curve in own]
        assert arm["final"]["mean"] == pytest.approx(statistics.mean(finals))
        if arm["baseline"]:
            continue
        gaps = [final - curve[-1][2] for final, curve in zip(finals, base, strict=True)]
        half = T_975[1] * statistics.stdev(gaps) / math.sqrt(2)
        assert arm["difference"]["difference"]["mean"] == pytest.approx(statistics.mean(gaps))
        assert arm["difference"]["difference"]["low"] == pytest.approx(statistics.mean(gaps) - half)
        for one, curve, other in zip(arm["saving"]["crossings"], own, base, strict=True):
            target, (text, total) = other[-1][2], _crossed(curve, other[-1][2])
            assert one["target"] == target
            assert (one["text"], one["total"]) == pytest.approx((text, total))
            assert one["text_share"] == pytest.approx(text / other[-1][0])
            assert one["state"] == ("never" if curve[-1][2] > target else "crossed")


def _crossed(curve: list[tuple[int, int, float]], target: float) -> tuple[float, float]:
    """From the end backwards to the last point above the target; the end itself where that is it."""
    after = curve[-1]
    if after[2] > target:
        return after[0], after[1]
    for before in reversed(curve[:-1]):
        if before[2] > target:
            part = (before[2] - target) / (before[2] - after[2])
            return before[0] + part * (after[0] - before[0]), before[1] + part * (after[1] - before[1])
        after = before
    return after[0], after[1]


def test_the_table_and_the_page(spec: Path, tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    shown = procdsl("compare", spec, "--html", page)
    assert page.read_text().startswith("<!doctype html>")
    assert "small: prose/loss by curriculum" in shown
    assert "dyck_less" in shown
    assert str(page) in shown


def test_another_metric_has_a_report_of_its_own(spec: Path) -> None:
    own, other = (
        procdsl("compare", spec, "--json"),
        procdsl("compare", spec, "--metric", "prose/perplexity", "--json"),
    )
    assert own["html"] != other["html"]
    assert Path(own["html"]).exists()
    assert Path(other["html"]).exists()


def test_one_of_several_comparisons_is_picked_by_its_name(spec: Path) -> None:
    several = spec.with_name("several.toml")
    listed = 'baseline = "dyck_first"\ncurricula = ["dyck_first", "dyck_less"]\n'
    both = '[comparisons.all]\nmetric = "prose/loss"\n[comparisons.short]\nmetric = "prose/loss"\n' + listed
    several.write_text(SPEC.replace('[compare]\nmetric = "prose/loss"\n', both))
    for metric in ("prose/loss", "prose/perplexity"):
        found = procdsl("compare", several, "--comparison", "short", "--metric", metric, "--json")
        arms = [(arm["name"], arm["baseline"]) for arm in found["curricula"]]
        assert (found["comparison"], found["metric"]) == ("short", metric)
        assert arms == [("dyck_first", True), ("dyck_less", False)]
    done = CliRunner().invoke(app, ["compare", str(several), "--comparison", "long", "--json"])
    assert (done.exit_code, json.loads(done.stdout)["help"]) == (2, "there are all and short")


def test_a_curriculum_added_later_is_missing_and_the_rest_is_compared(spec: Path, tmp_path: Path) -> None:
    grown = spec.with_name("grown.toml")
    grown.write_text(
        SPEC + '[curricula.later]\nlike = "dyck_first"\nphases = [{ name = "warmup", tokens = "10%" }]\n'
    )
    grown.write_text(grown.read_text().replace('"10%" }', '"1024" }'))
    found = procdsl("compare", grown, "--json")
    assert (found["finished"], found["trials"]) == (6, 8)
    assert {name.split(":")[0] for name in found["missing"]} == {"later seed 0", "later seed 1"}


def test_a_study_that_was_never_run_says_how_to(tmp_path: Path) -> None:
    (tmp_path / "prose.txt").write_text("words " * 10_000)
    path = tmp_path / "new.toml"
    path.write_text(SPEC)
    done = CliRunner().invoke(app, ["compare", str(path), "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout)["help"] == f"procdsl run {path}"
