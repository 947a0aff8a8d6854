"""The page that `procdsl ui` opens."""

from __future__ import annotations

import json
import socket
import urllib.request

import pytest

from procdsl.errors import UsageError
from runner.store import Store
from runner.tracking import resolve_uri, sync
from runner.tracking.ui import page, serve
from tests.runner.tracking.studies import Trainer, study


def test_a_store_without_runs_says_what_to_do(store: Store) -> None:
    with pytest.raises(UsageError, match="nothing is tracked"):
        serve(store, port=5000)


def test_a_port_that_is_taken_is_named(store: Store) -> None:
    store.root.mkdir()
    (store.root / "mlflow.db").touch()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} cannot be used"):
            serve(store, port=port)


@pytest.mark.slow
def test_the_page_shows_the_study(store: Store) -> None:
    plan = study(steps=4, seeds=1)
    Trainer(plan, store).all()
    sync(plan, store)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serve(store, port=port) as server:
        where = page(server.url, store, plan.study, resolve_uri(store))
        assert where.startswith(
            f"http://127.0.0.1:{port}/#/experiments/1/runs?viewStateShareKey=procdslmeans&"
        )
        asked = f"{server.url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=procdsl%2Ftiny"
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert json.load(answer)["experiment"]["experiment_id"] == "1"
