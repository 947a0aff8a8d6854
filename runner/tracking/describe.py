"""What MLflow is told about a study and its trials besides numbers: tags, params, files."""

from __future__ import annotations

from pathlib import Path

from procdsl.plan import Plan, PrepareOperation, TransferOperation, digest
from runner import shares
from runner.colours import curriculum_colours
from runner.status import held
from runner.store import Store, read_json, sha256
from runner.tracking.journal import read
from runner.tracking.receipts import Course, store_id


def experiment_tags(plan: Plan) -> dict[str, str]:
    """Tags of the study's experiment; the kind keeps the UI from taking it for one of prompts."""
    compared = plan.comparison.metric if plan.comparison else "the evaluations"
    note = (
        f"{plan.question}\n\nOne run is one curriculum with one seed, over all its phases. A step is a token "
        f"fed since its model was fresh. Compare `eval/{compared}`; bars are under `result/`. Written by "
        "procdsl."
    )
    return {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": note.strip()}


def tags(course: Course) -> dict[str, str]:
    """What tells a trial's run from the others."""
    plan, trial = course.plan, course.trial
    spec = spec_file(course.store.study(plan.study))
    found = {
        "procdsl.kind": "trial",
        "procdsl.curriculum": trial.curriculum,
        "procdsl.seed": str(trial.seed),
        "procdsl.profile": plan.profile or "default",
        "procdsl.spec_sha256": sha256(spec) if spec else "unknown",
        "procdsl.plan_key": digest(sorted(plan.keys.values())),
        "procdsl.local_run_id": course.identity,
        "procdsl.store": store_id(course.store),
        "mlflow.runColor": curriculum_colours(plan)[trial.curriculum],
        "mlflow.source.name": "procdsl",
    }
    return found | _data_tags(course)


def progress_tags(course: Course, *, detail: str = "") -> dict[str, str]:
    """Tags that change while a trial runs: how often it was resumed, whether that was exact, and after which
    step a phase was ended that a rule may end."""
    events = [record["e"] for leg in course.legs for record in read(leg.journal) if "e" in record]
    return {
        "procdsl.resume_count": str(events.count("resumed")),
        "procdsl.exact": str("inexact" not in events).lower(),
        "procdsl.status_detail": detail,
        **{
            f"procdsl.phase{leg.index + 1}.ended": str(leg.operation.ended)
            for leg in course.legs
            if leg.operation.stop
        },
    }


def ending(course: Course, otherwise: str) -> tuple[str, str]:
    """Status and detail of a trial that has not finished and is not being worked at."""
    plan = course.plan
    for id in plan.needed(tuple(leg.operation.id for leg in course.legs)):
        path = course.store.path(plan.by_id[id].kind, plan.key(id)) / "failures.json"
        if path.exists() and (failures := read_json(path)):
            return "FAILED", f"failed in {id}: {failures[-1]['message']}"
    return "KILLED", otherwise


def alive(course: Course) -> bool:
    """Whether a run holds the trial."""
    trial = course.trial
    return held(course.store.claim(course.plan.study, trial.curriculum, trial.seed))


def params(course: Course) -> dict[str, str]:
    """Few and flat, to sort and group by; everything else is in plan.json."""
    plan, trial = course.plan, course.trial
    model, fed = course.legs[-1].operation.model, shares.fed(plan, trial)
    found = {
        "curriculum": trial.curriculum,
        "seed": str(trial.seed),
        "model.layers": str(model.layers),
        "model.width": str(model.width),
        "model.heads": str(model.heads),
        "tokens.text": str(fed.text),
        "tokens.procedural": str(fed.procedural),
    }
    for leg in course.legs:
        at = f"phase{leg.index + 1}"
        operation = leg.operation
        sources = (getattr(plan.by_id[feed.source], "name", feed.source) for feed in operation.feeds)
        found |= {
            f"{at}.name": leg.phase,
            f"{at}.sources": "+".join(sources),
            f"{at}.tokens": str(operation.tokens),
            f"{at}.context": str(operation.context),
            f"{at}.lr": repr(operation.optimiser.lr),
        }
        start = plan.by_id.get(operation.start or "")
        if isinstance(start, TransferOperation):
            found[f"{at}.transfer"] = " ".join(f"{rule.component}:{rule.action}" for rule in start.rules)
    return found


def files(plan: Plan, store: Store) -> list[Path]:
    """The spec as written and the bound plan, where they are."""
    study = store.study(plan.study)
    return [path for path in (spec_file(study), study / "plan.json") if path and path.exists()]


def spec_file(study: Path) -> Path | None:
    return next(iter(sorted(study.glob("spec.*"))), None)


def began(course: Course) -> int | None:
    """When the trial's first record was written, in milliseconds."""
    return next((record["t"] for leg in course.legs for record in read(leg.journal)), None)


def ended(course: Course) -> int | None:
    """When the trial's last record was written."""
    return max((record["t"] for leg in course.legs for record in read(leg.journal)), default=None)


def _data_tags(course: Course) -> dict[str, str]:
    """The digest of every corpus the trial reads, and which of them are fallbacks."""
    plan = course.plan
    read = {id for leg in course.legs for id in leg.operation.inputs()}
    bound = [op for id in sorted(read) if isinstance(op := plan.by_id[id], PrepareOperation) and op.binding]
    found = {f"procdsl.data.{op.name}": op.binding.digest for op in bound if op.binding}
    fallbacks = [op.name for op in bound if op.binding and op.binding.fallback]
    return found | {"procdsl.fallbacks": ", ".join(fallbacks) or "none"}
