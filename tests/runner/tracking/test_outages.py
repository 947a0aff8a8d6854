"""A real `mlflow server` that is absent, killed, hung, restarted: no point is lost, none comes twice."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from procdsl.errors import UsageError
from runner.execution import Execution
from runner.store import Store
from runner.tracking import Sender, start_sender, sync
from runner.tracking.ui import Server
from tests.runner.tracking.studies import Trainer, study
from tests.runner.tracking.tracked import Tracked

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    # Below the range that connections are given ports from: one to an absent server could meet itself.
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


def test_no_point_is_lost_when_the_server_is(store: Store, tmp_path: Path, port: int) -> None:
    plan = study(steps=400, seeds=1)
    trainer = Trainer(plan, store)
    uri = f"http://127.0.0.1:{port}"
    sender = start_sender(plan, store, Execution(store.root, tracking_uri=uri))

    def train(first: int, last: int) -> None:
        began = time.monotonic()
        trainer.steps("alone-s0", first, last, extra=9)
        assert time.monotonic() - began < 1.0, "training waited for the server"

    train(1, 100)  # absent at the start
    server = _server(tmp_path, port)
    _wait(sender, until=0)
    train(101, 200)
    server.signal(signal.SIGKILL)  # killed in the middle of a delivery
    train(201, 250)
    server = _server(tmp_path, port)
    _wait(sender, until=0)
    server.signal(signal.SIGSTOP)  # hung
    train(251, 300)
    time.sleep(7)
    assert sender.pending() > 0
    server.signal(signal.SIGCONT)
    _wait(sender, until=0)
    server.signal(signal.SIGKILL)  # absent at the end
    train(301, 400)
    trainer.finish("alone-s0")
    began = time.monotonic()
    pending = sender.finish(timeout=20)
    assert time.monotonic() - began < 20
    assert pending >= 100 * 13
    assert sender.problem()
    assert sync(plan, store, uri, timeout=1).pending == pending

    with _server(tmp_path, port):
        assert sync(plan, store, uri).delivered == pending
        assert sync(plan, store, uri).delivered == 0
        tracked = Tracked(plan, store, uri)
        counts = tracked.counts()
        assert set(counts.values()) == {1}
        losses = tracked.history("text_only-s0", "train/loss")
        assert losses == [(64 * step, 5 / step) for step in range(1, 401)]
        assert sum(counts.values()) == 400 * 13 + 3 * 2 + 2
        assert tracked.runs()["text_only-s0"].info.status == "FINISHED"


def _server(folder: Path, port: int) -> Server:
    until = time.monotonic() + 20
    while True:  # the worker of a server that was killed ends a little later, and holds the port till then
        try:
            server = Server(f"sqlite:///{folder / 'server.db'}", folder / "artefacts", port=port)
            return server.__enter__()
        except UsageError:
            assert time.monotonic() < until
            time.sleep(0.2)


def _wait(sender: Sender, *, until: int) -> None:
    deadline = time.monotonic() + 90
    while sender.pending() > until:
        assert time.monotonic() < deadline, sender.problem()
        time.sleep(0.3)
