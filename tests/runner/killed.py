"""`python -m tests.runner.killed PLAN STORE EVENT OPERATION STEP [SIGNAL]`: a run that ends itself there.

So a kill falls on an exact point: after a save, between a measurement and the save behind it, at a phase's
first and last step. Steps count from one; 0 is any. Every step is saved, so that resumes meet each of them.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from runner.engine import run
from runner.events import Event
from runner.execution import Execution
from runner.store import load_plan


def main(plan: str, store: str, name: str, operation: str, step: str, number: str = "SIGKILL") -> int:
    def observe(event: Event) -> None:
        if (event.name, event.operation) == (name, operation) and int(step) in {0, event.facts.get("step")}:
            os.kill(os.getpid(), getattr(signal, number))

    execution = Execution(store=Path(store), checkpoint_seconds=0)
    return run(load_plan(Path(plan)), execution, observe).exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
