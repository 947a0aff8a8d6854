"""What a comparison shows, in plain sentences that claim no more than its numbers hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from runner.compare.comparison import Arm, Comparison
from runner.compare.statistics import LEVEL, Paired

_ALPHA = 1 - LEVEL


def verdict(comparison: Comparison) -> str:
    """One sentence over all curricula."""
    rivals = [(arm, arm.difference) for arm in comparison.arms if arm.difference]
    base, start = comparison.baseline, _opening(comparison)
    if not rivals:
        return f"{start} nothing can be compared with {base} yet."
    tested = {arm.curriculum: found for arm, found in rivals if found.difference.n > 1}
    if not tested:
        return f"{start} only one seed pairs, and no difference can be told from chance."
    standing = {name: _standing(found, comparison) for name, found in tested.items()}
    alone = [arm.curriculum for arm, _ in rivals if arm.curriculum not in tested]
    better, worse, open = (
        [name for name, stands in standing.items() if stands == which]
        for which in ("better", "worse", "open")
    )
    parts = [
        f"{_list(better)} {_end(better)} better than {base}" if better else "",
        f"{_list(worse)} {_end(worse)} worse than {base}" if worse else "",
        f"{_list(open)} cannot be told from {base}" if open else "",
        f"{_list(alone)} cannot be tested on one seed" if alone else "",
    ]
    grounds = _grounds(tested.values(), decided=bool(better or worse))
    return f"{start} {'; '.join(filter(None, parts))} ({grounds})."


def sentence(comparison: Comparison, arm: Arm) -> str:
    """One sentence on one curriculum beside the baseline."""
    if arm.difference is None:
        return f"{arm.curriculum}: no finished seed pairs with {comparison.baseline} yet."
    found = arm.difference.difference
    gap = f"{abs(found.mean):.4g} {'lower' if found.mean < 0 else 'higher'}"
    if found.n < 2 or found.low is None:
        return f"{arm.curriculum} ends {gap} than {comparison.baseline} on one seed: no interval, no test."
    standing = _standing(arm.difference, comparison)
    told = {"better": "better, beyond the spread of seeds", "worse": "worse, beyond the spread of seeds"}
    apart = found.high is not None and not found.low <= 0 <= found.high
    unsure = "apart alone, but not once all curricula are tested together" if apart else "too close to tell"
    return (
        f"{arm.curriculum} ends {gap} than {comparison.baseline} "
        f"({LEVEL:.0%} interval {found.low:+.4g} to {found.high:+.4g}, {found.n} pairs): "
        f"{told.get(standing, unsure)}.{_saved(arm)}"
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


def _standing(found: Paired, comparison: Comparison) -> str:
    """better, worse or open, by Holm's p; differences equal on every seed have no test and stay open."""
    if found.p_holm is None or found.p_holm >= _ALPHA:
        return "open"
    return "better" if (found.difference.mean < 0) == comparison.lower_is_better else "worse"


def _grounds(tested: Collection[Paired], *, decided: bool) -> str:
    """What the verdict rests on, and what it would be worth without the assumption behind a t test."""
    pairs = min(found.difference.n for found in tested)
    text = f"paired t tests over {pairs} seeds, Holm-adjusted at {_ALPHA:.2f}"
    least = max(found.least_p for found in tested)
    if decided and least > _ALPHA:
        text += f"; they assume normal differences, for by signs alone {pairs} pairs give p ≥ {least:.2g}"
    return text


def _opening(comparison: Comparison) -> str:
    metric, done, planned = comparison.metric, comparison.finished, comparison.trials
    start = f"So far ({done} of {planned} trials finished), in" if done < planned else "In"
    return f"{start} {metric},"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _end(names: Sequence[str]) -> str:
    return "ends" if len(names) == 1 else "end"
