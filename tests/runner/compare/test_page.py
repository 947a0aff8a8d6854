"""The report: it needs nothing but itself, escapes what specs hold, and is drawn once."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from procdsl.readable import short
from runner.compare import compare, write_report
from runner.compare.figures import draw, svg
from runner.store import Store
from tests.runner.compare.study import fill, make_plan

HOSTILE = "<script>alert(1)</script>'\"&$x_1^2$"
_VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Checks nesting, and gathers every attribute that could fetch something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in _VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data", "action", "srcset"):
                self.fetched.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    store = Store(folder / "store")
    plan = make_plan(steps={"text_only": 100, HOSTILE: 100, "dyck_less": 60}, question=HOSTILE)
    fill(plan, store, leave=("dyck_less.s2",))
    return write_report(compare(plan, store), folder, command="procdsl compare toy.toml").html.read_text()


def test_the_page_is_well_formed_and_needs_nothing_else(page: str) -> None:
    parsed = Page(page)
    assert parsed.open == []
    assert parsed.tags.count("svg") == 4
    assert all(target.startswith("#") for target in parsed.fetched)
    assert not re.search(r"@import|url\((?!#)", page)
    assert "://" not in page
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {target[1:] for target in parsed.fetched} <= set(parsed.ids)


def test_what_a_spec_holds_is_text_and_nothing_more(page: str) -> None:
    parsed = Page(page)
    assert "script" not in parsed.tags
    assert HOSTILE in parsed.text


def test_the_first_line_says_what_the_results_rest_on(page: str) -> None:
    text = Page(page[page.index("<body>") :].removesuffix("</html>")).text.strip()
    assert re.match(r"Profile cpu; c4 = pydocs \(a fallback", text)


def test_the_page_says_what_is_missing_and_how_to_make_it(page: str) -> None:
    text = Page(page).text
    assert "dyck_less seed 2: phase text is not finished" in text
    assert "procdsl compare toy.toml" in text


def test_it_is_drawn_again_only_when_something_changed(tmp_path: Path, store: Store) -> None:
    plan = make_plan(seeds=(0, 1))
    fill(plan, store, leave=("text_only.s1",))
    first = write_report(compare(plan, store), tmp_path / "out")
    again = write_report(compare(plan, store), tmp_path / "out")
    assert (first.drawn, again.drawn) == (True, False)
    assert again.png == first.png
    assert len(again.png) == 5
    again.png[0].unlink()
    assert write_report(compare(plan, store), tmp_path / "out").drawn
    fill(plan, store)
    assert write_report(compare(plan, store), tmp_path / "out").drawn
    assert json.loads(first.json.read_text())["finished"] == 6


def test_figures_are_the_same_bytes_every_time(store: Store) -> None:
    plan = make_plan(seeds=(0, 1))
    fill(plan, store)
    one, other = (draw(compare(plan, store)) for _ in range(2))
    assert list(one) == ["curves", "differences", "finals", "text", "training"]
    assert all(svg(one[name], name, "x") == svg(other[name], name, "x") for name in one)


def test_finals_are_drawn_by_length(store: Store) -> None:
    """Of places taken together at their middle; where there is one place only, not at all."""
    plan = make_plan(seeds=(0, 1))
    fill(plan, store)
    found = compare(plan, store)
    finals = {
        "val/loss/prompt_3": 1.0,
        "val/loss/prompt_65_128": 2.0,
        "val/loss/answer_1": 0.5,
        "val/loss/prompt_x": 3.0,
    }
    arms = [
        replace(arm, trials=tuple(replace(trial, finals=finals) for trial in arm.trials))
        for arm in found.arms
    ]
    (axes,) = draw(replace(found, arms=tuple(arms)))["places"].axes
    assert axes.get_xlabel() == "tokens before the answer"
    assert [list(zip(*line.get_data(), strict=True)) for line in axes.lines] == [[(3, 1), (96.5, 2)]] * 3


def test_an_empty_study_still_has_a_page(tmp_path: Path, store: Store) -> None:
    paths = write_report(compare(make_plan(), store), tmp_path / "out")
    assert paths.png == ()
    assert Page(paths.html.read_text()).open == []


def test_comparing_loads_neither_torch_nor_matplotlib() -> None:
    heavy = ["torch", "mlflow", "datasets", "matplotlib", "jinja2", "scipy", "pandas", "numba"]
    code = f"import sys, runner.compare; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tokens_are_short() -> None:
    assert [short(n) for n in (0, 999, 1_000, 999_600, 2_048_000)] == ["0", "999", "1K", "1M", "2.05M"]
