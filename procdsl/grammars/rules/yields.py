"""Whether the yields of rules fit each other: linear, nothing dropped, as many components as are referred to.

Seki et al. 1991: then lengths add up over a derivation, which is what sampling by length rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from procdsl.grammars.rules.trees import FANOUT
from procdsl.grammars.rules.written import Alternative, Item, Name, Part, Rule, RuleError


def braces(rules: Sequence[Rule]) -> Iterator[RuleError]:
    """Yields where there should be none: rules of kind `cfg`."""
    for alternative in (alternative for rule in rules for alternative in rule.alternatives):
        if alternative.yields is not None:
            yield RuleError(
                "P374", "context-free rules have no yields", alternative.spot, 'kind = "mcfg" has'
            )


def misfits(rules: Sequence[Rule]) -> Iterator[RuleError]:
    """P374: what is wrong with the yields of rules."""
    fanouts: dict[str, int] = {}
    for rule in rules:
        fanouts.setdefault(rule.head.name, _components(rule.alternatives[0]))
    start = rules[0].head
    if fanouts[start.name] != 1:
        message = f"the start yields one string, not {fanouts[start.name]}"
        yield RuleError(
            "P374", message, start.spot, f"begin with a rule such as  S -> {start.name} {{ $1.1 … }}"
        )
    for rule in rules:
        for alternative in rule.alternatives:
            own, first = _components(alternative), fanouts[rule.head.name]
            if own != first:
                message = f"{rule.head.name} yields {own} here and {first} in its first alternative"
                yield RuleError("P374", message, alternative.spot, "give all the same number of components")
            elif own > FANOUT:
                yield RuleError("P374", f"a yield has at most {FANOUT} components", alternative.spot)
            else:
                yield from _alternative(alternative, [_fanout(item, fanouts) for item in alternative.items])


def _alternative(alternative: Alternative, fanouts: Sequence[int]) -> Iterator[RuleError]:
    wanted = {(i + 1, j + 1) for i, fanout in enumerate(fanouts) for j in range(fanout)}
    if alternative.yields is None:
        if any(fanout > 1 for fanout in fanouts):
            message = "what has several components needs a yield"
            yield RuleError("P374", message, alternative.spot, "say in braces where they go: { $1.1 $1.2 }")
        return
    seen = set[tuple[int, int]]()
    for part in (part for component in alternative.yields for part in component if isinstance(part, Part)):
        place = (part.child, part.component)
        if place not in wanted:
            message = f"${part.child}.{part.component} is nothing: {_there(fanouts)}"
            yield RuleError("P374", message, part.spot)
        elif place in seen:
            message = f"${part.child}.{part.component} is used twice: copies make lengths that do not add up"
            yield RuleError("P374", message, part.spot, "build both copies side by side, as two components")
        seen.add(place)
    if dropped := sorted(wanted - seen):
        names = ", ".join(f"${child}.{component}" for child, component in dropped)
        message = f"the yield drops {names}"
        yield RuleError("P374", message, alternative.spot, "each component has one place in it")


def _components(alternative: Alternative) -> int:
    return 1 if alternative.yields is None else len(alternative.yields)


def _fanout(item: Item, fanouts: dict[str, int]) -> int:
    return fanouts.get(item.name, 1) if isinstance(item, Name) else 1


def _there(fanouts: Sequence[int]) -> str:
    if not fanouts:
        return "there are no children before the braces"
    ends = ", ".join(
        f"$1.{j + 1}" if i == 0 else f"${i + 1}.{j + 1}" for i, f in enumerate(fanouts) for j in range(f)
    )
    return f"the children's components are {ends}"
