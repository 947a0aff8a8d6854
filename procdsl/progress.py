"""How a run looks while it runs: a live table on a terminal, a plain line now and then elsewhere.

Both are views of a `Board`, what is known of every operation, which the runner's events keep up to date.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from procdsl import report
from procdsl.plan import Plan, TrainOperation, Trial
from procdsl.readable import clock, short

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

LINE_SECONDS = 10.0
_BAR = 12
_STYLES = {"done": "green", "running": "cyan", "failed": "red", "stopped": "yellow", "waiting": "dim"}


class Happening(Protocol):
    """An event of the runner."""

    @property
    def name(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def facts(self) -> dict[str, Any]: ...


Watch = Callable[[Happening], None]


@dataclass(frozen=True)
class Standing:
    """How far one operation is."""

    state: str = "waiting"
    step: int = 0
    steps: int = 0
    loss: float | None = None
    speed: float = 0.0
    memory: int | None = None


class Board:
    """What is known of every operation of the trials that were asked for."""

    def __init__(self, plan: Plan, trials: tuple[Trial, ...], todo: tuple[str, ...]) -> None:
        self.plan, self.trials = plan, trials
        self.standings = {
            operation.id: Standing(
                state="waiting" if operation.id in todo else "done",
                steps=operation.steps if isinstance(operation, TrainOperation) else 0,
            )
            for operation in plan.operations
        }
        # The clock starts with the first training: making corpora and compiling kernels foretell nothing.
        self._began = time.monotonic()
        self._tokens = {id: op.tokens for id in todo if isinstance(op := plan.by_id[id], TrainOperation)}
        self._first: dict[str, int] = {}

    def take(self, event: Happening) -> None:
        """Let one event change the board; the set of operations never changes, so that others may read."""
        if (before := self.standings.get(event.operation)) is None:
            return
        facts = event.facts
        if event.name in {"start", "progress"}:
            step = int(facts.get("step", facts.get("done", 0)))
            if event.operation in self._tokens:
                self._began = self._began if self._first else time.monotonic()
                self._first.setdefault(event.operation, step)
            self.standings[event.operation] = replace(
                before,
                state="running",
                step=step,
                steps=int(facts.get("steps", facts.get("total", 0)) or before.steps),
                loss=facts.get("loss", before.loss),
                speed=float(facts.get("tokens_per_second") or before.speed),
                memory=facts.get("memory", before.memory),
            )
        elif event.name in {"done", "failed", "stopped"}:
            # A phase that a rule ended has taken fewer steps than its budget.
            steps = int(facts.get("steps", before.steps)) if event.name == "done" else before.steps
            self.standings[event.operation] = replace(before, state=event.name, steps=steps)

    def running(self) -> list[str]:
        return [id for id, standing in self.standings.items() if standing.state == "running"]

    def trial(self, trial: Trial) -> tuple[str, int, str]:
        """A trial's state, the number of the phase it is in, and that phase's operation."""
        for number, phase in enumerate(trial.phases, start=1):
            if (state := self.standings[phase.train].state) != "done":
                begun = number > 1 and state == "waiting"
                return ("between" if begun else state), number, phase.train
        return "done", len(trial.phases), trial.phases[-1].train

    def share(self) -> float:
        """How much of the tokens to be fed has been fed."""
        total = sum(self._tokens.values())
        return sum(self._fed(id) for id in self._tokens) / total if total else 1.0

    def eta(self) -> float | None:
        """Seconds that are left if the run goes on as it went; None while nobody can know."""
        elapsed = time.monotonic() - self._began
        here = sum(self._fed(id) - self._fed(id, first) for id, first in list(self._first.items()))
        left = sum(tokens - self._fed(id) for id, tokens in self._tokens.items())
        return left * elapsed / here if here and elapsed > 2 else None

    def speed(self) -> float:
        return sum(self.standings[id].speed for id in self.running())

    def memory(self) -> int | None:
        """Bytes in use on the device, of the operations that say so."""
        known = [memory for id in self.running() if (memory := self.standings[id].memory)]
        return max(known) if known else None

    def _fed(self, id: str, step: int | None = None) -> float:
        standing = self.standings[id]
        if step is None and standing.state == "done":
            return self._tokens[id]
        return self._tokens[id] * (standing.step if step is None else step) / max(1, standing.steps)


@contextmanager
def watch(plan: Plan, trials: tuple[Trial, ...], todo: tuple[str, ...], *, quiet: bool) -> Iterator[Watch]:
    """An observer of a run, drawing for as long as the block lasts; quiet, it draws nothing."""
    board = Board(plan, trials, todo)
    if quiet or not todo:
        yield board.take
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _live(board) as observe:
            yield observe
    else:
        yield _Lines(board)


def note(event: Happening) -> None:
    """What is to be read before and between progress, as a line of its own."""
    if event.name == "note":
        report.line(f"note: {event.facts['text']}", stderr=True)


# ---------------------------------------------------------------- plain lines


class _Lines:
    """A line when something begins or ends, and one for all that runs every few seconds."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._next = time.monotonic() + LINE_SECONDS

    def __call__(self, event: Happening) -> None:
        self._board.take(event)
        note(event)
        if event.name in {"start", "done"} and event.facts.get("kind") != "transfer":
            self._say(f"{event.operation} {'begins' if event.name == 'start' else 'is done'}")
        elif event.name in {"failed", "stopped"}:
            self._say(f"{event.operation} {event.name}: {event.facts.get('message', '')}")
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_SECONDS
            self._say("; ".join(_words(self._board, id) for id in self._board.running()))

    def _say(self, text: str) -> None:
        report.line(f"{overall(self._board)} | {text}", stderr=True)


def overall(board: Board) -> str:
    """The whole run in a few words."""
    done = sum(board.trial(trial)[0] == "done" for trial in board.trials)
    words = [f"{board.share():4.0%}", f"{done}/{len(board.trials)} trials"]
    if speed := board.speed():
        words.append(f"{short(speed)} tokens/s")
    if (eta := board.eta()) is not None:
        words.append(f"eta {clock(eta)}")
    if memory := board.memory():
        words.append(f"{memory / 1e9:.1f} GB")
    return "  ".join(words)


def _words(board: Board, id: str) -> str:
    standing = board.standings[id]
    loss = "" if standing.loss is None else f" loss {standing.loss:.3f}"
    return f"{id} {standing.step:,}/{standing.steps:,}{loss}"


# ---------------------------------------------------------------- the live table


@contextmanager
def _live(board: Board) -> Iterator[Watch]:
    from rich.live import Live

    target = report.console(stderr=True)
    with Live(
        get_renderable=lambda: _drawing(board, target), console=target, refresh_per_second=4, transient=True
    ) as live:

        def observe(event: Happening) -> None:
            board.take(event)
            if event.name == "note":
                live.console.print(f"note: {report.clean(event.facts['text'])}")
            elif event.name == "failed":
                live.console.print(
                    f"{event.operation} failed: {report.clean(event.facts['message'])}", style="red"
                )

        yield observe


def _drawing(board: Board, target: Console) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    width, height = target.size
    table = Table(box=None, pad_edge=False, show_header=width >= 60)
    columns = ["trial", "phase", "", "step", "loss", "tokens/s"] if width >= 60 else ["trial", "", "loss"]
    for name in columns:
        table.add_column(
            name, justify="right" if name in {"step", "loss", "tokens/s"} else "left", no_wrap=True
        )
    shown = _shown(board, max(3, height - 4))
    for trial in shown:
        cells = _cells(board, trial)
        table.add_row(*(cells[name] for name in columns), style=_STYLES.get(board.trial(trial)[0]))
    hidden = len(board.trials) - len(shown)
    others = [id for id in board.running() if not isinstance(board.plan.by_id[id], TrainOperation)]
    lines = [_words(board, id) for id in others] + ([f"and {hidden} more trials"] if hidden else [])
    return Group(table, *(Text(text, style="dim") for text in lines), Text(overall(board), style="bold"))


def _shown(board: Board, room: int) -> list[Trial]:
    """As many trials as there is room for: those that run and failed before those that wait and are done."""
    rank = {"running": 0, "failed": 1, "stopped": 1, "between": 2, "waiting": 3, "done": 4}
    chosen = sorted(board.trials, key=lambda trial: rank[board.trial(trial)[0]])[:room]
    return [trial for trial in board.trials if trial in chosen]


def _cells(board: Board, trial: Trial) -> dict[str, str]:
    state, number, id = board.trial(trial)
    standing = board.standings[id]
    phase = trial.phases[number - 1].name
    begun = state in {"running", "failed", "stopped"}
    return {
        "trial": trial.name,
        "phase": f"{number}/{len(trial.phases)} {phase}",
        "": state if state in {"done", "failed", "stopped"} else _bar(standing.step / max(1, standing.steps)),
        "step": f"{standing.step:,}/{standing.steps:,}" if begun else "",
        "loss": "" if standing.loss is None else f"{standing.loss:.3f}",
        "tokens/s": short(standing.speed) if state == "running" and standing.speed else "",
    }


def _bar(share: float) -> str:
    full = int(_BAR * share)
    return "━" * full + "─" * (_BAR - full)
