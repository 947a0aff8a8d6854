"""A comparison as one JSON document: what `--json` prints, and what compare.json beside the report holds."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from runner.compare.comparison import Arm, Comparison
from runner.compare.results import Point, TrialResult
from runner.compare.verdict import sentence, verdict

FORMAT_VERSION = 1


def document(comparison: Comparison) -> dict[str, Any]:
    """Everything, per-seed values and curves included. Numbers that JSON lacks are null."""
    found = {
        "format_version": FORMAT_VERSION,
        "study": comparison.study,
        "comparison": comparison.name,
        "question": comparison.question,
        "metric": comparison.metric,
        "lower_is_better": comparison.lower_is_better,
        "baseline": comparison.baseline,
        "target": comparison.target,
        "threshold": comparison.threshold,
        "floor": comparison.floor,
        "chance": comparison.chance,
        "trials": comparison.trials,
        "finished": comparison.finished,
        "verdict": verdict(comparison),
        "curricula": [_arm(comparison, arm) for arm in comparison.arms],
        "lines": [asdict(line) for line in comparison.lines],
        "metrics": {
            metric: {name: asdict(estimate) for name, estimate in by_name.items()}
            for metric, by_name in comparison.others.items()
        },
        "basis": asdict(comparison.basis),
        "warnings": list(comparison.warnings),
        "missing": list(comparison.missing),
    }
    plain = _plain(found)
    assert isinstance(plain, dict)
    return plain


def _arm(comparison: Comparison, arm: Arm) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": arm.curriculum,
        "label": arm.label,
        "baseline": arm.curriculum == comparison.baseline,
        "colour": arm.colour,
        "text_tokens": arm.text_tokens,
        "procedural_tokens": arm.procedural_tokens,
        "total_tokens": arm.text_tokens + arm.procedural_tokens,
        "final": asdict(arm.final) if arm.final else None,
        "difference": asdict(arm.difference) if arm.difference else None,
        "difference_at_own_end": asdict(arm.at_own_end) if arm.at_own_end else None,
        "saving": {"method": "by crossing", **asdict(arm.saving)} if arm.saving else None,
        "tokens_to_target": asdict(arm.to_target) if arm.to_target else None,
        "to_threshold": asdict(arm.to_threshold) if arm.to_threshold else None,
        "sentence": None if arm.curriculum == comparison.baseline else sentence(comparison, arm),
        "seeds": [_trial(comparison.metric, trial) for trial in arm.trials],
    }
    return found


def _trial(metric: str, trial: TrialResult) -> dict[str, Any]:
    return {
        "seed": trial.seed,
        "finished": trial.finished,
        "final": trial.finals.get(metric),
        "finals": trial.finals,
        "curve": [_point(point) for point in trial.curves.get(metric, ())],
        "training": [_point(point) for point in trial.training],
        "phases": [asdict(phase) for phase in trial.phases],
        "missing": list(trial.missing),
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "phase": point.phase,
        "step": point.step,
        "text_tokens": point.text,
        "procedural_tokens": point.procedural,
        "total_tokens": point.total,
        "value": point.value,
    }


def _plain(value: Any) -> Any:
    """JSON's own types: keys as text, tuples as lists, no infinities."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
