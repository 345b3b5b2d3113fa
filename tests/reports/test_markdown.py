"""The report as Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

from crosscut_reports.render.markdown import render
from crosscut_reports.result import Result


def tables(text: str) -> list[list[str]]:
    """The lines of every table."""
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line)


def test_verdicts_declared_first_and_exploratory_labelled(rich: Result) -> None:
    text = render(rich)
    assert text.index("### Declared in the sweep file") < text.index("### Exploratory")
    declared, exploratory = text.split("### Exploratory")
    for contrast in rich.contrasts[:6]:
        assert contrast.sentence in (declared if contrast.declared else exploratory)
    assert "scan-t2i, ccr vs scan-t2i, none (exploratory)" in text
    assert "### test/rsum, declared: new seeds and new queries" in text
    assert "### test/i2t_r1, exploratory: new seeds and new queries" in text


def test_guards_stand_before_the_design_gravest_first(rich: Result) -> None:
    text = render(rich)
    places = [text.index(f"**{severity}**") for severity in ("error", "warning", "note")]
    assert places == sorted(places)
    assert places[-1] < text.index("## Design")


def test_estimates_and_p_values_as_they_are_printed_everywhere(rich: Result) -> None:
    text = render(rich)
    assert "| +2.88 | [+1.21, +4.55] |" in text
    assert "| −0.15 | [−0.86, +0.56] |" in text
    assert "&lt; 0.001" in text
    assert "0.000 |" not in text


def test_every_table_keeps_its_columns_whatever_the_names(rich: Result, hostile: Result) -> None:
    for result in (rich, hostile):
        found = tables(render(result))
        assert len(found) >= 7
        for table in found:
            assert len({len(cells(line)) for line in table}) == 1


def test_hostile_names_are_no_markup(hostile: Result) -> None:
    text = render(hostile)
    assert "<script" not in text
    assert r"&lt;script&gt;alert(" in text


def test_empty_sections_are_left_out(seeds_only: Result) -> None:
    headings = re.findall(r"^## (.+)$", render(seeds_only), re.MULTILINE)
    assert headings == ["Design", "Verdicts", "Contrasts", "Arms", "Methods"]


def test_methods_say_what_is_random(rich: Result, seeds_only: Result) -> None:
    assert "For test/rsum: training seeds and queries are both random" in render(rich)
    assert "conditional on the gallery" in render(rich)
    found = "the arms with the values that their searches found"
    assert found in render(rich) and found not in render(seeds_only)
    assert "Fixed are the arms, the training data" in render(seeds_only)
    assert "Obuchowski" in render(rich)
    assert "nothing is claimed for other queries" in render(seeds_only)
    assert "Obuchowski" not in render(seeds_only)


def test_scopes_that_differ_have_a_column(rich: Result) -> None:
    first = replace(rich.contrasts[0], scope="seeds")
    text = render(replace(rich, contrasts=(first, *rich.contrasts[1:])))
    (table,) = [table for table in tables(text) if "more seeds | simultaneous interval | scope |" in table[0]]
    assert "new seeds, these queries |" in table[2]
    assert "new seeds and new queries |" in table[3]
