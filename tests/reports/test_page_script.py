"""What the page's script does, in a browser where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from crosscut_reports.render import figures, html, markdown
from crosscut_reports.result import Result

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on the path")


def page(result: Result) -> str:
    return html.render(result, figures.draw(result))


def run(text: str, script: str, folder: Path) -> str:
    """What `script` writes into the body once the page's own script has run."""
    assert BROWSER is not None
    more = f"<script>document.title = String((() => {{ {script} }})());</script></body>"
    file = folder / "page.html"
    file.write_text(text.replace("</body>", more), encoding="utf-8")
    made = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
         "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return unescape(re.findall(r"<title>(.*?)</title>", made.stdout, re.DOTALL)[0])


COLUMN = """
const table = [...document.querySelectorAll("table")].find((t) => t.tHead.textContent.includes("p adjusted"));
const cells = [...table.tHead.rows[0].cells];
const column = cells.findIndex((c) => c.textContent.startsWith("%s"));
const click = () => cells[column].querySelector("button").click();
const shown = () => [...table.tBodies[0].rows].map((r) => r.cells[column].textContent.trim()).join("; ");
const told = () => cells[column].getAttribute("aria-sort");
"""


def numbers(text: str) -> list[float]:
    found = [re.match(r"[+−]?[\d.]+", cell) for cell in text.split("; ")]
    return [float(one[0].replace("−", "-")) for one in found if one is not None]


@browser
def test_a_click_sorts_a_column_up_then_down_then_not_at_all(rich: Result, tmp_path: Path) -> None:
    steps = "const r = []; for (let i = 0; i < 4; i++) { r.push(shown(), told()); click(); } return r.join(' | ');"
    found = run(page(rich), COLUMN % "Estimate" + steps, tmp_path).split(" | ")
    before, up, down, after = found[0], found[2], found[4], found[6]
    assert numbers(up) == sorted(numbers(before)) != numbers(before)
    assert numbers(down) == sorted(numbers(before), reverse=True)
    assert after == before
    assert [found[1], found[3], found[5], found[7]] == ["", "ascending", "descending", ""]


@browser
def test_missing_numbers_stay_last(rich: Result, tmp_path: Path) -> None:
    first = replace(rich.contrasts[0], p_adjusted=None)
    text = page(replace(rich, contrasts=(first, *rich.contrasts[1:])))
    steps = "click(); const up = shown(); click(); return up + ' | ' + shown();"
    up, down = run(text, COLUMN % "p adjusted" + steps, tmp_path).split(" | ")
    assert up.endswith("; –")
    assert down.endswith("; –")


@browser
def test_a_mark_tells_its_numbers_when_it_is_reached(rich: Result, tmp_path: Path) -> None:
    steps = """
    const mark = document.querySelector("figure [data-estimate]");
    mark.dispatchEvent(new FocusEvent("focus"));
    const tip = document.querySelector(".tip");
    const text = `${tip.hidden} ${tip.textContent}`;
    dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    return `${text} ${mark.tabIndex} ${tip.hidden}`;
    """
    found = run(page(rich), steps, tmp_path)
    estimate = re.findall(r'data-estimate="([^"]*)"', page(rich))[0]
    assert found.startswith("false name")
    assert estimate in found
    assert found.endswith("0 true")


def test_a_mark_tells_its_numbers_without_a_script_too(rich: Result) -> None:
    svg = figures.draw(rich)["forest"]
    name, estimate = (re.findall(rf'data-{key}="([^"]*)"', svg)[0] for key in ("name", "estimate"))
    assert f"<title>name: {name}\nestimate: {estimate}\n" in svg


def test_the_contents_lead_to_every_section(rich: Result) -> None:
    text = page(rich)
    links = re.findall(r'<a href="#([a-z-]+)">(.*?)</a>', text[text.index("<nav") : text.index("</nav>")])
    headings = re.findall(r'<h2 id="([a-z-]+)">(.*?)</h2>', text)
    assert links == headings
    assert ("verdicts", "Verdicts") in links
    assert len(headings) == text.count("<h2")


def test_simultaneous_intervals_stand_below_the_others(rich: Result) -> None:
    first = rich.contrasts[0]
    assert first.simultaneous is not None
    assert first.family > 1
    text = page(rich)
    assert text.count('class="interval together"') == sum(
        one.simultaneous is not None for one in rich.contrasts
    )
    assert "holds together with those of its whole family" in text
    assert "| simultaneous interval |" in markdown.render(rich)
    alone = replace(rich, contrasts=tuple(replace(one, family=1) for one in rich.contrasts))
    assert "holds together" not in page(alone)
    assert "interval together" not in page(alone)
    assert "simultaneous" not in markdown.render(alone)
