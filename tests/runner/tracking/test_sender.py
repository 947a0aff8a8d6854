"""What the sender delivers, read back by MLflow's own client."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import signal
import time
import zlib
from pathlib import Path

import pytest

from runner.execution import Execution
from runner.store import Store, write
from runner.tracking import attach, resolve_uri, start_sender, sync
from runner.tracking.receipts import Study
from tests.runner.tracking.studies import Trainer, study
from tests.runner.tracking.tracked import Tracked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Tracked:
    """A whole study, trained and delivered into the store's own database."""
    store, plan = Store(tmp_path_factory.mktemp("study") / ".procdsl"), study()
    write(store.study(plan.study) / "spec.toml", "name = 'tiny'\n")
    store.remember(plan)
    Trainer(plan, store).all()
    found = sync(plan, store)
    assert found.pending == 0, found.problem
    return Tracked(plan, store, resolve_uri(store))


def test_one_run_a_trial_whole_and_finished(delivered: Tracked) -> None:
    runs = delivered.runs()
    assert sorted(runs) == ["dyck_then_text-s0", "dyck_then_text-s1", "text_only-s0", "text_only-s1"]
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    run = runs["dyck_then_text-s1"]
    assert run.data.tags["procdsl.curriculum"] == "dyck_then_text"
    assert run.data.params["phase1.name"] == "warmup"
    assert run.data.params["phase2.transfer"] == "attention:take"
    colours = {name: run.data.tags["mlflow.runColor"] for name, run in runs.items()}
    assert colours["text_only-s0"] == colours["text_only-s1"] != colours["dyck_then_text-s0"]


def test_phases_lie_end_to_end_on_the_axis_of_tokens(delivered: Tracked) -> None:
    curve = delivered.history("dyck_then_text-s0", "train/loss")
    assert [step for step, _ in curve] == [64 * step for step in range(1, 61)]
    assert [value for _, value in curve] == [5 / s for s in range(1, 21)] + [5 / s for s in range(1, 41)]
    text = delivered.history("dyck_then_text-s0", "progress/text_tokens")
    assert text[19] == (20 * 64, 0)
    assert text[-1] == (60 * 64, 40 * 64)
    assert delivered.history("dyck_then_text-s0", "progress/optimizer_step")[-1] == (60 * 64, 60)


def test_evaluations_are_curves_and_results_are_bars(delivered: Tracked) -> None:
    assert delivered.history("dyck_then_text-s0", "eval/c4/loss") == [(1280, 4.0), (2560, 3.8), (3840, 3.6)]
    assert delivered.history("dyck_then_text-s0", "result/c4_loss") == [(0, 3.6)]


def test_points_keep_the_times_of_the_measuring(delivered: Tracked) -> None:
    from runner.tracking.journal import read

    operation = delivered.plan.by_id["alone-s0"]
    journal = delivered.store.path("train", delivered.plan.key(operation.id)) / "journal.jsonl"
    times = [record["t"] for record in read(journal)]
    assert [m.timestamp for m in delivered.metrics("text_only-s0", "train/loss")] == times


def test_a_second_sync_and_a_second_run_send_nothing(delivered: Tracked) -> None:
    assert sync(delivered.plan, delivered.store).delivered == 0
    sender = start_sender(delivered.plan, delivered.store, Execution(delivered.store.root))
    assert not sender.running
    assert sender.finish() == 0


def test_sending_everything_again_adds_no_point(delivered: Tracked) -> None:
    before = delivered.counts()
    for receipt in (delivered.store.study("tiny") / "tracking").glob("*/*-s?-*.json"):
        receipt.unlink()
    assert sync(delivered.plan, delivered.store).delivered > 0
    assert delivered.counts() == before
    assert set(before.values()) == {1}


def test_a_lost_database_is_filled_again(store: Store) -> None:
    plan = study(steps=4, seeds=1)
    Trainer(plan, store).all()
    first = sync(plan, store)
    (store.root / "mlflow.db").unlink()
    assert sync(plan, store).delivered == first.delivered


def test_a_trial_that_stops_is_killed_and_then_goes_on(store: Store) -> None:
    plan = study(steps=10, seeds=1)
    trainer = Trainer(plan, store)
    tracked = Tracked(plan, store, resolve_uri(store))
    sender = start_sender(plan, store, Execution(store.root, only=("text_only",)))
    trainer.steps("alone-s0", 1, 6)
    assert sender.finish() == 0
    assert [run.info.status for run in tracked.runs().values()] == ["KILLED"]
    sender = start_sender(plan, store, Execution(store.root, only=("text_only",)))
    trainer.steps("alone-s0", 5, 10)
    trainer.finish("alone-s0")
    assert sender.finish() == 0
    assert [(run.info.run_name, run.info.status) for run in tracked.runs().values()] == [
        ("text_only-s0", "FINISHED")
    ]
    assert set(tracked.counts().values()) == {1}


def _train_and_die(root: Path) -> None:
    store, plan = Store(root), study(steps=10, seeds=1)
    start_sender(plan, store, Execution(root))
    Trainer(plan, store).steps("alone-s0", 1, 6)
    os.kill(os.getpid(), signal.SIGKILL)


def test_when_the_run_is_killed_its_sender_delivers_what_is_there(store: Store) -> None:
    run = multiprocessing.get_context("spawn").Process(target=_train_and_die, args=(store.root,))
    run.start()
    run.join()
    plan, uri = study(steps=10, seeds=1), resolve_uri(store)
    until = time.monotonic() + 60
    while Study(plan, store, uri).courses[0].receipt.status != "KILLED":
        assert time.monotonic() < until
        time.sleep(0.2)
    tracked = Tracked(plan, store, uri)
    assert len(tracked.history("text_only-s0", "train/loss")) == 6
    assert tracked.runs()["text_only-s0"].data.tags["procdsl.status_detail"].startswith("killed")


def test_data_and_checkpoints_are_lineage(delivered: Tracked) -> None:
    run = delivered.runs()["dyck_then_text-s0"]
    inputs = {
        i.dataset.name: (i.dataset, {t.key: t.value for t in i.tags}) for i in run.inputs.dataset_inputs
    }
    assert sorted(inputs) == ["brackets", "c4"]
    assert inputs["brackets"][0].digest == delivered.plan.key("dyck")
    assert inputs["brackets"][1]["mlflow.data.context"] == "train:warmup"
    assert inputs["c4"][1]["mlflow.data.context"] == "train:text eval:c4"
    models = {model.model_id: model for model in delivered.models()}
    (read,) = run.inputs.model_inputs
    assert models[read.model_id].name.startswith("warmup-s0-")
    made = {models[output.model_id].name.split("-")[0]: output.step for output in run.outputs.model_outputs}
    assert made == {"warmup": 20 * 64, "text": 60 * 64}


def test_the_spec_and_the_figures_are_files_of_runs(delivered: Tracked, tmp_path: Path) -> None:
    (tmp_path / "compare.html").write_text("<p>better")
    attach(delivered.plan, delivered.store, [tmp_path / "compare.html"])
    assert sync(delivered.plan, delivered.store).delivered == 1
    assert delivered.files("text_only-s0") == ["plan.json", "spec.toml"]
    assert delivered.files("comparison") == ["compare.html"]
    attach(delivered.plan, delivered.store, [tmp_path / "compare.html"])
    assert sync(delivered.plan, delivered.store).delivered == 0


def test_views_are_written_and_those_that_people_changed_stay(delivered: Tracked) -> None:
    from runner.tracking import views

    key = "mlflow.sharedViewState.procdslcurves"
    experiment = delivered.experiment()
    state = json.loads(experiment.tags[key])["state"].removeprefix("deflate;")
    charts = json.loads(zlib.decompress(base64.b64decode(state)))["compareRunCharts"]
    assert charts[0]["metricKey"] == "eval/c4/loss"
    delivered.client.set_experiment_tag(experiment.experiment_id, key, '{"mine": true}')
    assert views.write(delivered.client, experiment.experiment_id, study(name="tiny", seeds=1)) == views.FIRST
    assert delivered.experiment().tags[key] == '{"mine": true}'


def test_runs_of_an_earlier_version_of_the_spec_are_told_apart(store: Store) -> None:
    for steps in (4, 6):
        plan = study(steps=steps, seeds=1)
        Trainer(plan, store).all()
        assert sync(plan, store).pending == 0
    tracked = Tracked(plan, store, resolve_uri(store))
    found = tracked.client.search_runs([tracked.experiment().experiment_id])
    kinds = sorted((run.data.tags["procdsl.kind"], run.data.tags["procdsl.curriculum"]) for run in found)
    assert kinds == [
        ("superseded", "dyck_then_text"),
        ("superseded", "text_only"),
        ("trial", "dyck_then_text"),
        ("trial", "text_only"),
    ]


def test_a_run_that_somebody_deleted_is_left_alone_and_told(store: Store) -> None:
    plan = study(steps=8, seeds=1)
    trainer = Trainer(plan, store)
    trainer.steps("alone-s0", 1, 4)
    sync(plan, store)
    tracked = Tracked(plan, store, resolve_uri(store))
    tracked.client.delete_run(tracked.runs()["text_only-s0"].info.run_id)
    trainer.steps("alone-s0", 5, 8)
    found = sync(plan, store)
    assert found.pending == 0
    assert "deleted" in found.refused["text_only-s0"]


def test_two_runs_of_a_study_deliver_it_once(store: Store) -> None:
    plan = study(steps=10, seeds=2)
    first = start_sender(plan, store, Execution(store.root, seeds=(0,)))
    second = start_sender(plan, store, Execution(store.root, seeds=(1,)))
    Trainer(plan, store).all()
    assert second.finish() == 0
    assert first.finish() == 0
    tracked = Tracked(plan, store, resolve_uri(store))
    assert {run.info.status for run in tracked.runs().values()} == {"FINISHED"}
    assert set(tracked.counts().values()) == {1}
