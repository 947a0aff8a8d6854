"""The comparison of a study whose results lie in a real store."""

import json
import statistics
from pathlib import Path

import pytest

from procdsl.errors import UsageError
from procdsl.plan import Comparison as Question
from procdsl.plan import Plan
from runner.compare import compare
from runner.compare.document import document
from runner.compare.figures import draw
from runner.compare.thresholds import Range
from runner.store import Store, write_json
from tests.runner.compare.study import CONTEXT, ROWS, WARM, fill, make_plan


def test_each_number_can_be_recomputed_from_the_files_by_hand(store: Store) -> None:
    """No code of the comparison is used below: plain JSON, the standard library, and a table of t."""
    plan = make_plan()
    fill(plan, store)
    found = document(compare(plan, store))
    t_975_2df = 4.302652729911275
    finals: dict[str, dict[int, float]] = {}
    curves: dict[tuple[str, int], list[tuple[int, float]]] = {}
    for trial in plan.trials:
        (measure,) = trial.measures
        folder = store.root / "objects" / f"train-{plan.key(trial.phases[-1].train)}" / "measurements"
        raw = json.loads((folder / f"{plan.key(measure)}.json").read_text())
        curve = sorted((int(step), values["loss"]) for step, values in raw.items())
        curves[trial.curriculum, trial.seed] = curve
        finals.setdefault(trial.curriculum, {})[trial.seed] = curve[-1][1]
    for arm in found["curricula"]:
        mine = finals[arm["name"]]
        mean, sd = statistics.mean(mine.values()), statistics.stdev(mine.values())
        assert arm["final"]["mean"] == pytest.approx(mean)
        assert arm["final"]["low"] == pytest.approx(mean - t_975_2df * sd / 3**0.5)
        assert {s["seed"]: s["final"] for s in arm["seeds"]} == mine
        if arm["baseline"]:
            continue
        gaps = [mine[seed] - finals["text_only"][seed] for seed in (0, 1, 2)]
        mean, sd = statistics.mean(gaps), statistics.stdev(gaps)
        assert arm["difference"]["difference"]["high"] == pytest.approx(mean + t_975_2df * sd / 3**0.5)
        assert arm["difference"]["t"] == pytest.approx(mean / (sd / 3**0.5))
        assert arm["procedural_tokens"] == WARM * ROWS * CONTEXT
        for one in arm["saving"]["crossings"]:
            curve, target = curves[arm["name"], one["seed"]], finals["text_only"][one["seed"]]
            if curve[-1][1] > target:
                assert one["state"] == "never"
                continue
            last = max(i for i, (_, loss) in enumerate(curve) if loss > target)
            (s0, l0), (s1, l1) = curve[last], curve[last + 1]
            steps = s0 + (s1 - s0) * (l0 - target) / (l0 - l1)
            assert one["text"] == pytest.approx(steps * ROWS * CONTEXT)
            assert one["total"] == pytest.approx((steps + WARM) * ROWS * CONTEXT)
            assert one["text_share"] == pytest.approx(steps / 100)
            assert one["rate"] == pytest.approx((100 - steps) / WARM)


def test_the_journal_gives_the_training_curve(store: Store) -> None:
    plan = make_plan(seeds=(0,))
    fill(plan, store)
    (arm,) = [arm for arm in compare(plan, store).arms if arm.curriculum == "dyck_then_text"]
    points = arm.trials[0].training
    assert [p.total for p in points] == [n * ROWS * CONTEXT for n in range(1, WARM + 101)]
    assert points[WARM - 1].text == 0
    assert points[-1].text == 100 * ROWS * CONTEXT


def test_less_text_is_also_compared_at_its_own_end(store: Store) -> None:
    plan = make_plan()
    fill(plan, store)
    arms = {arm.curriculum: arm for arm in compare(plan, store).arms}
    assert arms["dyck_then_text"].at_own_end is None
    found = arms["dyck_less_text"].at_own_end
    assert found is not None
    base = {t.seed: t.curves["val/loss"][6].value for t in arms["text_only"].trials}
    assert found.by_seed == {
        t.seed: t.finals["val/loss"] - base[t.seed] for t in arms["dyck_less_text"].trials
    }


def test_an_unfinished_study_says_what_is_missing_and_compares_the_rest(store: Store) -> None:
    plan = make_plan()
    fill(plan, store, leave=("dyck_less_text.s1", "text_only.s2"))
    found = compare(plan, store)
    assert (found.finished, found.trials) == (7, 9)
    assert found.missing == (
        "dyck_less_text seed 1: phase text is not finished; val in phase text: 7 of 7 evaluations",
        "text_only seed 2: phase text is not finished; val in phase text: 11 of 11 evaluations",
    )
    less = found.arms[2].difference
    assert less is not None
    assert set(less.by_seed) == {0}
    assert any("seeds 2 do not pair" in warning for warning in found.warnings)
    verdict = document(found)["verdict"]
    assert verdict.startswith("So far (7 of 9 trials finished)")
    assert "; dyck_less_text cannot be tested on one seed (paired t tests over 2 seeds" in verdict


def test_an_empty_store_is_no_error(store: Store) -> None:
    found = document(compare(make_plan(), store))
    assert (found["finished"], found["verdict"][-40:]) == (
        0,
        "nothing can be compared with text_only yet."[-40:],
    )


def test_one_seed_claims_nothing(store: Store) -> None:
    plan = make_plan(seeds=(4,))
    fill(plan, store)
    found = document(compare(plan, store))
    assert "no difference can be told from chance" in found["verdict"]
    assert "no interval" in found["curricula"][1]["sentence"]


def test_differences_of_noise_are_not_told_apart(store: Store) -> None:
    noise = {("a", 0): 0.1, ("a", 1): -0.1, ("a", 2): 0.02}
    plan = make_plan(steps={"base": 100, "a": 100})
    fill(plan, store, lambda name, seed, share: 3.0 - share + noise.get((name, seed), 0.0))
    found = document(compare(plan, store))
    assert "a cannot be told from base" in found["verdict"]
    assert "too close to tell" in found["curricula"][1]["sentence"]


def test_another_metric_is_judged_by_its_name(store: Store) -> None:
    plan = make_plan()
    fill(plan, store)
    assert compare(plan, store, metric="val/perplexity").lower_is_better
    with pytest.raises(UsageError, match="nothing measures 'val/nonsense'") as caught:
        compare(plan, store, metric="val/nonsense")
    assert "val/loss" in caught.value.help


def test_a_value_that_is_no_number_is_missing_not_averaged(store: Store) -> None:
    plan = make_plan(seeds=(0, 1))
    fill(plan, store)
    measure = plan.trials[0].measures[0]
    place = store.path("train", plan.key("text_only.s0")) / "measurements" / f"{plan.key(measure)}.json"
    raw = json.loads(place.read_text())
    write_json(place, raw | {"100": {"loss": "nan", "perplexity": "inf"}})
    found = compare(plan, store)
    assert found.arms[0].finals.keys() == {1}
    (missing,) = found.missing
    assert missing.startswith("text_only seed 0: val/loss in phase text ended at nan; ")
    json.dumps(document(found), allow_nan=False)


def test_what_is_no_fair_comparison_is_said(store: Store) -> None:
    plan = make_plan(seeds=(0, 1))
    fill(plan, store, leave=("text_only.s0",))
    only = plan.model_copy(
        update={"operations": tuple(op for op in plan.operations if op.id != "text_only.s1")}
    )
    fill(
        only,
        store,
        leave=tuple(op.id for op in plan.operations if op.id != "text_only.s0"),
        threads=7,
        lanes=16,
        replicas=8,
    )
    place = store.path("train", plan.key("dyck_then_text.s1"))
    with (place / "journal.jsonl").open("a") as file:
        file.write('{"t":1,"e":"inexact","s":3,"metrics":{"train/loss":[1.0,1.1]}}\n')
    warnings = "\n".join(compare(plan, store).warnings)
    assert "thread counts are mixed: 7, 1" in warnings
    assert "steps by kernels and by PyTorch are mixed in text" in warnings
    assert "models trained alone and side by side, alike to 1e-3, are mixed in text" in warnings
    assert "dyck_then_text seed 1: text went on inexactly" in warnings
    assert "c4 could not be read: pydocs was used" in warnings


def test_two_names_for_one_training_are_found_out(store: Store) -> None:
    plan = make_plan(steps={"base": 100, "dyck_a": 100, "dyck_b": 100})
    assert "dyck_a and dyck_b are the same training under two names" in compare(plan, store).warnings


def test_other_evaluation_rows_are_found_out(store: Store) -> None:
    plan = make_plan(seeds=(0,))
    changed = [
        op.model_copy(update={"measurement": op.measurement.model_copy(update={"rows": 16})})
        if op.id == "dyck_then_text.s0.val"
        else op
        for op in plan.operations
    ]
    found = compare(
        Plan.model_validate(plan.model_dump() | {"operations": [op.model_dump() for op in changed]}), store
    )
    assert "seed 0: val is not measured on the same rows in every curriculum" in found.warnings


def test_results_of_an_older_version_are_named_and_left_out(store: Store) -> None:
    old = make_plan(steps={"text_only": 50, "dyck_then_text": 50})
    fill(old, store)
    store.remember(old)
    new = make_plan(steps={"text_only": 100, "dyck_then_text": 100})
    edited = compare(new, store)
    assert any("the last run's (6 trials: text_only, dyck_then_text)" in one for one in edited.warnings)
    store.remember(new)
    found = compare(new, store)
    assert found.finished == 0
    assert any("(6 trials: text_only, dyck_then_text)" in warning for warning in found.warnings)


def test_tokens_are_counted_to_a_target_of_ones_own(store: Store) -> None:
    plan = make_plan(seeds=(0,), steps={"base": 100, "dyck": 100})
    fill(plan, store, lambda name, _, share: (4.0 if name == "base" else 3.5) - share)
    base, dyck = (arm.to_target for arm in compare(plan, store, target=3.25).arms)
    assert base is not None
    assert dyck is not None
    assert base.text is not None
    assert dyck.total is not None
    assert base.text.mean == pytest.approx(75 * ROWS * CONTEXT)
    assert dyck.total.mean == pytest.approx((25 + WARM) * ROWS * CONTEXT)


def test_seeds_are_timed_to_a_threshold_and_none_is_dropped(store: Store) -> None:
    """Straight curves: 0.5 is reached after half of the steps, or a tenth of them later for each seed."""
    plan = make_plan(seeds=(0, 1, 2), steps={"base": 100, "dyck": 100})

    def rises(name: str, seed: int, share: float) -> float:
        if name == "base" and seed == 2:
            return 0.4  # never
        if name == "dyck" and seed == 1 and share > 0.95:
            return 0.1  # and not for good
        return 0.05 + share - 0.1 * seed + (0.2 if name == "dyck" else 0.0)

    fill(plan, store, rises)
    asked = Question(metric="val/loss", baseline="base", lower_is_better=False, threshold=0.5)
    found = compare(plan, store, asked=asked)
    base, dyck = (arm.to_threshold for arm in found.arms)
    assert base is not None
    assert dyck is not None
    assert [seed.step for seed in base.seeds] == [50, 60, None]
    assert (base.reached, base.n, base.stayed) == (2, 3, 2)
    assert base.steps == Range(55.0, 50, 60)
    assert base.tokens == Range(55.0 * ROWS * CONTEXT, 50 * ROWS * CONTEXT, 60 * ROWS * CONTEXT)
    # The steps of the compared phase: the warm-up before it is not among them.
    assert [seed.step for seed in dyck.seeds] == [30, 40, 50]
    assert (dyck.reached, dyck.n, dyck.stayed) == (3, 3, 2)
    told = document(found)["curricula"][0]["to_threshold"]
    assert (told["reached"], told["n"], told["seeds"][2]["step"]) == (2, 3, None)
    assert compare(plan, store, asked=asked, timed=0.2).arms[0].to_threshold.steps.most == 30  # type: ignore[union-attr]


def test_a_comparison_of_accuracies_has_its_signs_the_other_way_round(store: Store) -> None:
    plan = make_plan(seeds=(0, 1, 2), steps={"base": 100, "dyck": 100})
    # The gap of 0.3 differs by 0.001 between seeds: differences of no spread have no test.
    slope = {"base": 0.6, "dyck": 0.9}
    fill(plan, store, lambda name, seed, share: share * (slope[name] + 0.001 * seed * (name == "dyck")))
    asked = Question(metric="val/loss", baseline="base", lower_is_better=False)
    found = compare(plan, store, asked=asked)
    (arm,) = found.arms[1:]
    assert found.target == pytest.approx(0.6)
    assert arm.difference is not None
    assert arm.difference.difference.mean == pytest.approx(0.301)
    assert arm.saving is not None
    assert arm.saving.reached == 3
    assert arm.saving.text_share is not None
    assert arm.saving.text_share.mean == pytest.approx(2 / 3, abs=0.01)
    assert "dyck ends better than base" in document(found)["verdict"]
    drawn = draw(found)["differences"]
    assert "right is better" in drawn.axes[0].get_xlabel()


def test_reading_writes_nothing(store: Store, tmp_path: Path) -> None:
    plan = make_plan(seeds=(0,))
    compare(plan, store)
    assert not store.root.exists()
