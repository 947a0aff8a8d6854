"""What a comparison shows, in plain sentences that claim no more than its numbers hold."""

from __future__ import annotations

from collections.abc import Sequence

from runner.compare.comparison import Arm, Comparison
from runner.compare.statistics import LEVEL

_ALPHA = 1 - LEVEL


def verdict(comparison: Comparison) -> str:
    """One sentence over all curricula."""
    rivals = [arm for arm in comparison.arms if arm.difference]
    if not rivals:
        return _opening(comparison) + f"nothing can be compared with {comparison.baseline} yet."
    if all(arm.difference and arm.difference.difference.n < 2 for arm in rivals):
        return _opening(comparison) + "one seed pairs, so no difference can be told from chance."
    groups = {"better": [], "worse": [], "open": []}  # type: dict[str, list[str]]
    for arm in rivals:
        groups[_standing(arm, lower=comparison.lower_is_better)].append(arm.curriculum)
    parts = []
    if groups["better"]:
        parts.append(f"{_list(groups['better'])} {_end(groups['better'])} better than {comparison.baseline}")
    if groups["worse"]:
        parts.append(f"{_list(groups['worse'])} {_end(groups['worse'])} worse than {comparison.baseline}")
    if groups["open"]:
        parts.append(f"{_list(groups['open'])} cannot be told from {comparison.baseline}")
    return (
        _opening(comparison)
        + "; ".join(parts)
        + f" ({_grounds(rivals, decided=len(parts) > 1 or not groups['open'])})."
    )


def sentence(comparison: Comparison, arm: Arm) -> str:
    """One sentence on one curriculum beside the baseline."""
    if arm.difference is None:
        return f"{arm.curriculum}: no finished seed pairs with {comparison.baseline} yet."
    found = arm.difference.difference
    gap = f"{abs(found.mean):.4g} {'lower' if found.mean < 0 else 'higher'}"
    if found.n < 2 or found.low is None:
        return f"{arm.curriculum} ends {gap} than {comparison.baseline} on one seed: no interval, no test."
    decided = _standing(arm, lower=comparison.lower_is_better)
    told = {"better": "better, beyond the spread of seeds", "worse": "worse, beyond the spread of seeds"}
    return (
        f"{arm.curriculum} ends {gap} than {comparison.baseline} "
        f"({LEVEL:.0%} interval {found.low:+.4g} to {found.high:+.4g}, {found.n} pairs): "
        f"{told.get(decided, 'too close to tell')}.{_saved(arm)}"
    )


def _saved(arm: Arm) -> str:
    """What the equal-loss saving says, if anything."""
    saving = arm.saving
    if saving is None or not saving.finished:
        return ""
    if not saving.reached:
        return " No seed reaches the baseline's final value for good."
    if saving.reached < saving.finished:
        return f" {saving.reached} of {saving.finished} seeds reach the baseline's final value for good."
    share = saving.text_share or saving.total_share
    if share is None:
        return ""
    kind = "text" if saving.text_share else "total"
    return f" It gets there on {share.mean:.1%} of the baseline's {kind} tokens, by crossing."


def _standing(arm: Arm, *, lower: bool) -> str:
    """better, worse, or open: decided by Holm's p; equal differences on every seed have no test."""
    assert arm.difference is not None
    found = arm.difference
    if found.p_holm is None or found.p_holm >= _ALPHA:
        return "open"
    return "better" if (found.difference.mean < 0) == lower else "worse"


def _grounds(rivals: Sequence[Arm], *, decided: bool) -> str:
    pairs = min(arm.difference.difference.n for arm in rivals if arm.difference)
    least = max(arm.difference.least_p for arm in rivals if arm.difference)
    text = f"paired t tests over {pairs} seeds, Holm-adjusted at {_ALPHA:.2f}"
    if decided and least > _ALPHA:
        text += f"; they take differences to be normal, without which {pairs} pairs cannot give p below {least:.2g}"
    return text


def _opening(comparison: Comparison) -> str:
    start = f"In {comparison.metric}, "
    if comparison.finished < comparison.trials:
        start = (
            f"So far ({comparison.finished} of {comparison.trials} trials finished), in {comparison.metric}, "
        )
    return start


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _end(names: Sequence[str]) -> str:
    return "ends" if len(names) == 1 else "end"
