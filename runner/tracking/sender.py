"""The sender: a process of its own that brings journals to MLflow while training goes on.

Started as `python -m runner.tracking.sender`, not by multiprocessing, whose parent waits for its children
when it exits: a server that hangs must hold nobody. Its standard input is the only line to it: a line says
finish, the end of the line says that whoever trained is gone. Everything it knows is in the store.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout

from procdsl.errors import RunError
from procdsl.plan import Plan
from runner.store import Store, read_json, write_json
from runner.tracking import describe, samples
from runner.tracking.journal import records
from runner.tracking.mlflow_sink import LARGEST_BATCH, Refused, Sink, Unreachable
from runner.tracking.receipts import FINAL, Course, Study, folder
from runner.tracking.trajectory import (
    Clock,
    Measured,
    Point,
    evaluation_points,
    is_result,
    measured,
    points,
    result_points,
)

PERIOD_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
# After the end: give up on a server that has not answered for so long, and leave the rest to `procdsl sync`.
PATIENCE_SECONDS = 10.0
ORPHAN_SECONDS = 30.0
_LINE = 0  # standard input


@dataclass
class Order:
    """What the sender was told: keep going, or finish by a time; why some trials will not have finished."""

    until: float | None = None
    why: str = ""


class Delivery:
    """All trials of a study on their way to one server."""

    def __init__(self, plan: Plan, store: Store, uri: str, selected: frozenset[str]) -> None:
        self.plan, self.store, self.uri = plan, store, uri
        self.study = Study(plan, store, uri)
        self._selected = selected
        self._sink: Sink | None = None
        self._clocks: dict[str, Clock] = {}
        self._checked: set[str] = set()

    def round(self) -> int:
        """Deliver all that is there now; how many points it was. Raises `Unreachable`."""
        self.study.refresh()
        waiting = [course for course in self.study.courses if self._meant(course) and course.waiting()]
        return sum(self._deliver(course) for course in waiting) + self._send_report()

    def close(self, why: str) -> None:
        """Tell the server how the trials have ended that it takes for running and nobody works at."""
        for course in self.study.courses:
            receipt = course.receipt
            if receipt.status == "RUNNING" and not receipt.refused and not describe.alive(course):
                self._end(course, *describe.ending(course, why))

    def _meant(self, course: Course) -> bool:
        if course.receipt.refused:
            return False
        return course.begun or (course.name in self._selected and course.legs[0].journal.exists())

    def _deliver(self, course: Course) -> int:
        sink = self._connect()
        try:
            self._open(sink, course)
            sent = self._send_journals(sink, course) + self._send_evaluations(sink, course)
            for leg in course.legs:
                if leg.finished:
                    self._once(course, f"output {leg.key}", partial(sink.output, leg=leg))
            if course.finished:
                self._end(course, FINAL, "")
        except Refused as error:
            if error.gone:
                course.forget()
                self._checked.discard(course.name)
                raise Unreachable(f"{error}: sending it all again", reason="tracking") from error
            course.receipt.refused = str(error)
            course.save()
            return 0
        return sent

    def _connect(self) -> Sink:
        if self._sink is None:
            self._sink = Sink(self.plan, self.store, self.uri)
            self.study.receipt.experiment_id = self._sink.experiment_id
            self.study.receipt.view = self._sink.views()
            self._sink.mark_versions(self.study)
            self.study.save()
        return self._sink

    def _open(self, sink: Sink, course: Course) -> None:
        """Have the trial's run there, described and running. The run is looked for once a process."""
        if course.name not in self._checked:
            sink.run(course)
            self._checked.add(course.name)
        self._once(course, "description", sink.describe)
        if "samples" not in course.receipt.parts and samples.ready(course):
            self._once(course, "samples", sink.sample)
        if course.receipt.status != "RUNNING":
            sink.status(course, "RUNNING")
            sink.tag(course, describe.progress_tags(course))
            course.receipt.status = "RUNNING"
            course.save()

    def _send_report(self) -> int:
        if not (files := self.study.report()):
            return 0
        self._connect().report(self.study.identity, [Path(path) for path in files])
        self.study.receipt.report = files
        self.study.save()
        return 1

    def _once(self, course: Course, part: str, tell: Callable[[Course], None]) -> None:
        if part not in course.receipt.parts:
            tell(course)
            course.receipt.parts.append(part)
            course.save()

    def _send_journals(self, sink: Sink, course: Course) -> int:
        sent = 0
        for leg in course.placed:
            batch: list[Point] = []
            reached = course.receipt.offsets.get(leg.key, 0)
            for end, record in records(leg.journal, reached):
                more = list(points(course.plan, leg, record))
                if len(batch) + len(more) > LARGEST_BATCH:
                    sent += self._acknowledged(sink, course, batch, {leg.key: reached})
                    batch = []
                batch += more
                reached = end
            sent += self._acknowledged(sink, course, batch, {leg.key: reached})
        return sent

    def _acknowledged(self, sink: Sink, course: Course, batch: list[Point], offsets: dict[str, int]) -> int:
        if batch:
            sink.send(course.receipt.run_id, batch)
        if offsets.items() - course.receipt.offsets.items():
            course.receipt.offsets |= offsets
            course.save()
        return len(batch)

    def _send_evaluations(self, sink: Sink, course: Course) -> int:
        sent = 0
        for found in measured(course.plan, course.trial, course.placed, known=course.known):
            clock = self._clocks.setdefault(found.leg.key, Clock(found.leg))
            if (taken := clock.time(found.step)) is None:
                continue
            batch = self._evaluation(course, found, taken)
            sink.send(course.receipt.run_id, batch)
            course.receipt.measured.setdefault(found.key, []).append(found.step)
            course.save()
            sent += len(batch)
        return sent

    def _evaluation(self, course: Course, found: Measured, taken: int) -> list[Point]:
        batch = list(evaluation_points(found, taken))
        if is_result(course.plan, course.trial, found):
            batch += result_points(found, taken)
        return batch

    def _end(self, course: Course, status: str, detail: str) -> None:
        sink = self._connect()
        sink.tag(course, describe.progress_tags(course, detail=detail))
        sink.status(course, status, end=describe.ended(course))
        course.receipt.status = status
        course.save()


def main() -> None:
    """Deliver until told to finish, or until whoever started this is gone."""
    # The terminal's Ctrl-C and a cluster's SIGTERM are for the training; the sender ends after it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(5)
    task = _read_line()
    store = Store(Path(task["store"]))
    plan = Plan.model_validate_json(Path(task["plan"]).read_text(encoding="utf-8"))
    place = folder(store, plan.study, task["uri"])
    order = Order()
    lock = FileLock(place / "sender.lock")
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            # Another run of this study delivers its trials and ours: take over when it ends.
            _listen(order, PERIOD_SECONDS)
            if order.until is not None and (
                time.monotonic() > order.until or not Study(plan, store, task["uri"]).pending()
            ):
                return
    with lock:
        _work(Delivery(plan, store, task["uri"], frozenset(task["trials"])), order, place / "state.json")


def _work(delivery: Delivery, order: Order, state: Path) -> None:
    wait, answered = PERIOD_SECONDS, time.monotonic()
    while True:
        try:
            sent = delivery.round()
            if order.until is not None and not sent:
                delivery.close(order.why)
                _tell(state, "")
                return
            wait, answered, problem = PERIOD_SECONDS, time.monotonic(), ""
        except RunError as error:  # no answer, a refusal of the whole study, or no room for receipts
            wait, problem = min(2 * wait, LONGEST_WAIT_SECONDS), str(error)
        _tell(state, problem)
        now = time.monotonic()
        if order.until is not None and (now > order.until or (now - answered > PATIENCE_SECONDS and problem)):
            return
        _listen(order, min(wait, 2.0) if order.until is not None else wait)


def _listen(order: Order, seconds: float) -> None:
    """Wait for an order, at most so long. Once the line has ended there is nothing to hear."""
    if order.until is not None:
        time.sleep(min(seconds, 0.2))
        return
    if not select.select([_LINE], [], [], seconds)[0]:
        return
    told = _read_line() or {"timeout": ORPHAN_SECONDS, "why": "killed: the process ended without a word"}
    order.until = time.monotonic() + told["timeout"]
    order.why = told["why"]


def _read_line() -> dict[str, Any]:
    """One line, byte by byte: a buffer would hide the next line from `select`."""
    line = b""
    while (byte := os.read(_LINE, 1)) not in {b"", b"\n"}:
        line += byte
    return cast(dict[str, Any], json.loads(line)) if line else {}


def _tell(state: Path, problem: str) -> None:
    """Leave word for whoever asks why nothing arrives; on a full disk there is nowhere to leave it."""
    told = {"pid": os.getpid(), "problem": problem}
    if not state.exists() or read_json(state) != told:
        with contextlib.suppress(RunError):
            write_json(state, told)


if __name__ == "__main__":
    main()
