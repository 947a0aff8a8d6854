"""`python -m runner plan.json`: carry out a bound plan where neither MLflow nor datasets is installed.

`torchrun --nproc-per-node 8 -m runner plan.json` trains each operation on all eight devices of a machine.

The journals it leaves in the store are delivered later, elsewhere, by `procdsl sync`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from procdsl.errors import ProcdslError
from runner.engine import run
from runner.events import Event, ignore
from runner.execution import Execution, device, parallelism, replicas, seed_range, store_root
from runner.followers import follows
from runner.store import load_plan


def main(words: list[str] | None = None) -> int:
    """Run and say how it ended by the exit code: 0 done, 1 failed, 2 wrong call, 3 stopped."""
    asked = _parser().parse_args(words)
    try:
        return _run(asked)
    except ProcdslError as error:
        _say(f"error: {error}\n  help: {getattr(error, 'help', '')}")
        return error.exit_code
    except KeyboardInterrupt:
        return 3
    finally:
        _leave_group()


def _run(asked: argparse.Namespace) -> int:
    plan = load_plan(asked.plan)
    chosen = device(asked.device)
    jobs, threads = parallelism(plan, device=chosen, jobs=asked.jobs, threads=asked.threads)
    execution = Execution(
        store=store_root(asked.plan, asked.store),
        device=chosen,
        threads=threads,
        jobs=jobs,
        compile=asked.compile,
        kernels=asked.kernels,
        replicas=replicas(asked.replicas),
        device_rows=asked.device_rows,
        micro_rows=asked.micro_rows,
        checkpoint_seconds=asked.checkpoint_seconds,
    )
    execution = replace(execution, only=tuple(asked.only), seeds=seed_range(asked.seeds))
    outcome = run(plan, execution, ignore if follows() else _line)
    if follows():
        return outcome.exit_code
    for name, reason in outcome.reasons.items():
        _say(f"failed: {name}: {reason}")
    _say(f"{len(outcome.done)} trials done, {len(outcome.failed)} failed, {len(outcome.stopped)} stopped")
    return outcome.exit_code


def _leave_group() -> None:
    """Part from the other processes of a `torchrun` group, if this one joined any."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_initialized():
        distributed.destroy_process_group()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runner", description=__doc__)
    parser.add_argument("plan", type=Path, help="a bound plan: studies/<study>/plan.json of a store")
    parser.add_argument(
        "--store", type=Path, help="where results lie [PROCDSL_STORE, or .procdsl beside the plan]"
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--only", action="append", default=[], metavar="CURRICULUM")
    parser.add_argument("--seeds", default="", metavar="A..B")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--kernels", action=argparse.BooleanOptionalAction)
    parser.add_argument("--replicas", default="auto", metavar="auto|off|N")
    parser.add_argument("--device-rows", action=argparse.BooleanOptionalAction)
    parser.add_argument("--micro-rows", type=int)
    parser.add_argument("--checkpoint-seconds", type=float, default=60)
    return parser


def _line(event: Event) -> None:
    plain = {name: value for name, value in event.facts.items() if not isinstance(value, dict | list)}
    facts = " ".join(f"{name}={value}" for name, value in plain.items())
    _say(f"{event.name} {event.operation} {facts}")


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
