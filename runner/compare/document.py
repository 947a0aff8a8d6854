"""A comparison as one JSON document: what `--json` prints, and what compare.json beside the report holds."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
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
        "chances": comparison.chances,
        "trials": comparison.trials,
        "finished": comparison.finished,
        "verdict": verdict(comparison),
        "curricula": [_arm(comparison, arm) for arm in comparison.arms],
        "lines": comparison.lines,
        "metrics": comparison.others,
        "basis": comparison.basis,
        "warnings": comparison.warnings,
        "missing": comparison.missing,
    }
    plain: dict[str, Any] = _plain(found)
    return plain


def _arm(comparison: Comparison, arm: Arm) -> dict[str, Any]:
    return {
        "name": arm.curriculum,
        "label": arm.label,
        "baseline": arm.curriculum == comparison.baseline,
        "colour": arm.colour,
        "text_tokens": arm.text_tokens,
        "procedural_tokens": arm.procedural_tokens,
        "total_tokens": arm.text_tokens + arm.procedural_tokens,
        "final": arm.final,
        "difference": arm.difference,
        "difference_at_own_end": arm.at_own_end,
        "saving": arm.saving and {"method": "by crossing", **_plain(arm.saving)},
        "tokens_to_target": arm.to_target,
        "to_threshold": arm.to_threshold,
        "sentence": None if arm.curriculum == comparison.baseline else sentence(comparison, arm),
        "seeds": [_trial(comparison.metric, trial) for trial in arm.trials],
    }


def _trial(metric: str, trial: TrialResult) -> dict[str, Any]:
    return {
        "seed": trial.seed,
        "finished": trial.finished,
        "final": trial.finals.get(metric),
        "finals": trial.finals,
        "curve": [_point(point) for point in trial.curves.get(metric, ())],
        "training": [_point(point) for point in trial.training],
        "phases": trial.phases,
        "missing": trial.missing,
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
    """JSON's own types: records by their fields, keys as text, tuples as lists, no infinities."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
