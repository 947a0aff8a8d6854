"""Who carries operations out: this process, a group at a time, or worker processes, several at once.

A group is an operation, or several that are trained side by side. A worker is spawned, takes groups and gives
events and results over a pipe of its own, so that one that is killed takes its own group down and nothing
else. It leaves signals to the run that started it, saves and stops when told, and ends when that run does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import NoReturn, Protocol, Self

from procdsl.plan import Plan
from runner.attempts import Result, attempt
from runner.events import Event, Observer
from runner.execution import Execution
from runner.operations import Stopping

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))
_POLL_SECONDS = 0.5
_STOPPING = "stopping: what runs finishes its step and is saved (once more, and it ends at once)"


class Workers(Protocol):
    """Takes as many groups as `free` says, and gives the result of each operation as it comes."""

    @property
    def free(self) -> int: ...
    def submit(self, ids: Sequence[str]) -> None: ...
    def results(self) -> list[Result]: ...


class Inline:
    """Operations in this process, a group at a time."""

    def __init__(self, plan: Plan, execution: Execution, observe: Observer, stopping: Stopping) -> None:
        self._attempt = partial(attempt, plan, execution=execution, observe=observe, stopping=stopping)
        self._results: Iterator[Result] = iter(())
        self._left = 0

    @property
    def free(self) -> int:
        return 0 if self._left else 1

    def submit(self, ids: Sequence[str]) -> None:
        self._results, self._left = self._attempt(ids), len(ids)

    def results(self) -> list[Result]:
        self._left -= 1
        return [next(self._results)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


class Pool:
    """Operations in worker processes, started when first needed and again when one dies."""

    def __init__(self, plan: Plan, execution: Execution, observe: Observer, stopping: Stopping) -> None:
        self._plan = plan
        self._execution = execution
        self._observe = observe
        self._stopping = stopping
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, _Worker] = {}
        self._told = False

    @property
    def free(self) -> int:
        return self._execution.jobs - len(self._busy)

    def submit(self, ids: Sequence[str]) -> None:
        worker = self._idle.pop() if self._idle else _Worker(self._plan, self._execution)
        worker.take(ids)
        self._busy[worker.connection] = worker

    def results(self) -> list[Result]:
        """What ended within a moment; events are passed on meanwhile."""
        if self._stopping() and not self._told:
            self._told = True
            self._observe(Event("note", "", {"text": _STOPPING}))
            for worker in self._busy.values():
                worker.stop()
        found: list[Result] = []
        for connection in wait(list(self._busy), timeout=_POLL_SECONDS):
            assert isinstance(connection, Connection)
            found += self._receive(connection)
        return found

    def _receive(self, connection: Connection) -> list[Result]:
        worker = self._busy[connection]
        try:
            message = connection.recv()
        except (EOFError, OSError):
            del self._busy[connection]
            return worker.died()
        if isinstance(message, Event):
            self._observe(message)
            return []
        assert isinstance(message, Result)
        worker.left.remove(message.id)
        if not worker.left:
            self._idle.append(self._busy.pop(connection))
        return [message]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # An idle worker has nothing to save, and torch takes two seconds to go in peace.
        for worker in (*self._idle, *self._busy.values()):
            worker.kill()


class _Worker:
    """The near end of one worker process."""

    def __init__(self, plan: Plan, execution: Execution) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, far = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_work, args=(far, plan.model_dump_json(), replace(execution, jobs=1)), daemon=True
        )
        # A worker inherits the mask: from its first moment, Ctrl-C on the terminal reaches the run alone.
        # Starting multiprocessing's tracker lifts every mask, so that comes first.
        resource_tracker.ensure_running()
        with _masked():
            self.process.start()
        far.close()
        self.left: list[str] = []

    def take(self, ids: Sequence[str]) -> None:
        self.left = [*ids]
        self._send(self.left)

    def stop(self) -> None:
        self._send(_STOP)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()

    def died(self) -> list[Result]:
        self.process.join(timeout=10)
        self.connection.close()
        code = self.process.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        help = "run again: it goes on from its last checkpoint; signal 9 is often the system, out of memory"
        what = ((id, f"the process that carried out {id} died ({how})") for id in self.left)
        return [Result(id, "failed", "died", message, help) for id, message in what]

    def _send(self, message: list[str]) -> None:
        # A worker that is gone is noticed where its answer is awaited.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)


# No group is empty.
_STOP: list[str] = []


def _work(connection: Connection, plan_json: str, execution: Execution) -> NoReturn:
    """The far end: a worker's whole life, until the run that started it ends it."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(execution.threads)
    inbox: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    stop, sending = threading.Event(), threading.Lock()

    def send(message: Event | Result) -> None:
        with sending:
            connection.send(message)

    threading.Thread(target=_listen, args=(connection, inbox, stop), daemon=True).start()
    plan = Plan.model_validate_json(plan_json)
    while True:
        for result in attempt(plan, inbox.get(), execution, send, stop.is_set):
            send(result)


def _listen(connection: Connection, inbox: queue.SimpleQueue[list[str]], stop: threading.Event) -> None:
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            # The run is gone: as if this process had been killed with it, which every operation survives.
            os._exit(1)
        if message == _STOP:
            stop.set()
        else:
            inbox.put(message)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that the first SIGINT, SIGTERM or SIGUSR1 sets. The second interrupts at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _masked() -> Iterator[None]:
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
