"""MLflow's own user interface on the right store: a server on this machine, and where to look in it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from procdsl.errors import RunError, UsageError
from runner.store import Store, read_table
from runner.tracking.receipts import folder

HOST = "127.0.0.1"
# One worker and no job runner: 2 processes and 15 s to the first page, instead of 12 and 65 s (measured).
_SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
_STARTING_SECONDS = 120.0


class Server:
    """A running `mlflow server`; leaving the `with` block ends it."""

    def __init__(self, uri: str, artefacts: Path, *, port: int) -> None:
        _refuse_taken(port)
        self.url = f"http://{HOST}:{port}"
        self.log = artefacts.parent / "mlflow-server.log"
        with self.log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                _command(uri, artefacts, port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | _SETTINGS,
                start_new_session=True,
            )

    def __enter__(self) -> Server:
        """Wait until it answers; whatever ends the waiting otherwise ends the server."""
        until = time.monotonic() + _STARTING_SECONDS
        with contextlib.ExitStack() as unless_ready:
            unless_ready.callback(self.signal, signal.SIGKILL)
            while not _answers(f"{self.url}/health"):
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RunError("MLflow's server does not start", reason="ui", help=f"see {self.log}")
                time.sleep(0.2)
            unless_ready.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)

    def wait(self) -> int:
        """Until it ends."""
        return self._process.wait()

    def signal(self, number: int) -> None:
        """Send a signal to the server and its worker; after SIGKILL, wait for its end."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)
        if number == signal.SIGKILL:
            self._process.wait()


def serve(store: Store, *, port: int) -> Server:
    """A server on the store's own database; what ends this process from outside interrupts it instead."""
    database = store.root.resolve() / "mlflow.db"
    if not database.exists():
        raise UsageError(f"nothing is tracked in {store.root}", help="procdsl run SPEC makes runs to look at")
    # The server has a session of its own: it would stay behind, and keep the port.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    return Server(f"sqlite:///{database}", store.root.resolve() / "mlartifacts", port=port)


def page(url: str, store: Store, study: str, uri: str) -> str:
    """Where the study's curricula are compared; MLflow's first page while its experiment is not known."""
    known = read_table(folder(store, study, uri) / "study.json")
    if not known.get("experiment_id"):
        return url
    view = f"viewStateShareKey={known['view']}&" if known["view"] else ""
    return f"{url}/#/experiments/{known['experiment_id']}/runs?{view}compareRunsMode=CHART"


def _command(uri: str, artefacts: Path, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri),
        *("--artifacts-destination", str(artefacts), "--host", HOST, "--port", str(port), "--workers", "1"),
    ]


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be used: {error.strerror}", help=f"--port {port + 1}"
            ) from error


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False
