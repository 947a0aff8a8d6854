"""Colours of curricula."""

from runner.colours import PALETTE, assign


def test_a_curriculum_added_at_the_end_recolours_nothing() -> None:
    before = assign(["text", "dyck", "shuffled"], baselines={"text"})
    after = assign(["text", "dyck", "shuffled", "later"], baselines={"text"})
    assert after.items() >= before.items()
    assert len(set(after.values())) == 4


def test_past_the_palette_colours_come_round_again() -> None:
    names = [str(i) for i in range(len(PALETTE) + 1)]
    assert assign(names)["0"] == assign(names)[names[-1]]
