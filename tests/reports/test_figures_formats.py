"""PNG and PDF from the drawings that the SVG is made from."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest
from PIL import Image

from crosscut_reports.context import Context
from crosscut_reports.render import figures, write
from crosscut_reports.render.figures import formats
from crosscut_reports.render.figures.drawing import WIDTH, Drawing
from crosscut_reports.result import Result

NASTY = "$x_1^{2}$ <b>&amp; \\frac{1}{2} and_a_word_that_does_not_break_within_forty_characters " * 3


def test_every_drawing_is_given_in_both_formats(rich: Result) -> None:
    drawn = figures.drawings(rich)
    found = figures.files(drawn)
    assert set(found) == {f"{name}.{kind}" for name in drawn for kind in ("png", "pdf")}
    for name, content in found.items():
        assert content.startswith(b"\x89PNG\r\n\x1a\n" if name.endswith("png") else b"%PDF-1.")
    assert set(figures.files(drawn, ("pdf",))) == {f"{name}.pdf" for name in drawn}


def test_a_png_has_200_dots_per_inch_and_a_white_ground(rich: Result) -> None:
    drawing = figures.drawings(rich)["forest"]
    assert isinstance(drawing, Drawing)
    picture = Image.open(io.BytesIO(figures.files({"forest": drawing})["forest.png"]))
    assert picture.width == round(200 * WIDTH)
    assert picture.height == int(200 * drawing.figure.get_figheight())
    assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert "Software" not in picture.info


def test_text_in_a_pdf_stays_text_and_nothing_tells_when_it_was_made(rich: Result) -> None:
    with matplotlib.rc_context({"pdf.fonttype": 3}):
        pdf = figures.files(figures.drawings(rich), ("pdf",))["forest.pdf"]
    assert b"/FontFile2" in pdf and b"/ToUnicode" in pdf and b"/Type3" not in pdf
    assert not any(key in pdf for key in (b"/CreationDate", b"/Producer", b"/Creator"))


def test_the_same_result_gives_the_same_bytes_in_any_order(rich: Result) -> None:
    first = figures.drawings(rich)
    svgs, files = figures.svgs(rich, first), figures.files(first)
    second = figures.drawings(rich)
    assert figures.files(second, ("pdf",)) | figures.files(second, ("png",)) == files
    assert figures.svgs(rich, second) == svgs == figures.draw(rich)


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib; from matplotlib import style; from crosscut_reports.render import figures\n"
        "from crosscut_reports.render.figures.drawing import STYLE, Drawing\n"
        "with style.context(['default', STYLE]):\n"
        "    one = Drawing.of_height(1.0); one.rows(['αβγ, abc → ▲'], [True], [0.0])\n"
        "made = figures.files({'one': one})\n"
        "print([hashlib.sha256(content).hexdigest() for content in made.values()])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, check=True,
            capture_output=True, text=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(answers) == 1 and "[" in answers.pop()


def test_a_very_long_figure_has_fewer_dots(rich: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "LONGEST", 600)
    found = figures.files(figures.drawings(rich), ("png",))
    assert all(max(Image.open(io.BytesIO(content)).size) == 600 for content in found.values())


def test_200_arms_of_nasty_names_are_given_in_every_format(rich: Result) -> None:
    arms = tuple(replace(rich.arms[i % 6], arm=f"{NASTY if i < 3 else ''}{i}", levels={}) for i in range(200))
    result = replace(rich, arms=arms, contrasts=(), context=Context(NASTY))
    drawn = figures.drawings(result)
    assert set(drawn) == {"arms"}
    picture = Image.open(io.BytesIO(figures.files(drawn)["arms.png"]))
    assert 10_000 < picture.height <= formats.LONGEST


def test_they_lie_beside_the_svg_and_go_with_it(rich: Result, seeds_only: Result, tmp_path: Path) -> None:
    paths = write(rich, tmp_path)
    for name, content in figures.files(figures.drawings(rich)).items():
        assert paths[name] == tmp_path / name
        assert paths[name].read_bytes() == content
    assert {"tuning.svg", "tuning.png", "tuning.pdf"} <= set(paths)
    write(seeds_only, tmp_path)
    assert not list(tmp_path.glob("tuning.*"))
    assert not list(tmp_path.glob(".*"))
    # The table twice, and three formats of the figure.
    kept = {path.suffix for path in tmp_path.glob("arms.*")}
    assert kept == {".csv", ".tex", ".svg", ".png", ".pdf"}


def test_drawing_and_saving_leave_the_users_settings_alone(rich: Result) -> None:
    before = dict(matplotlib.rcParams)
    figures.files(figures.drawings(rich))
    assert dict(matplotlib.rcParams) == before
