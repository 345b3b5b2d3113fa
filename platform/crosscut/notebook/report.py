"""The report of a sweep as a notebook shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from crosscut.notebook import frames
from crosscut.publication import Publication
from crosscut_reports.result import Result

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class Report:
    """A report that was written: its verdicts in words, its tables as data frames, and where its files lie."""

    publication: Publication

    @property
    def result(self) -> Result:
        """All that the report says, as one immutable value."""
        return self.publication.result

    @property
    def sentences(self) -> list[str]:
        """The verdicts in words, after what the report leaves out of what was asked for."""
        return self.publication.sentences

    @property
    def page(self) -> Path:
        """The page to open."""
        return self.publication.page

    @property
    def files(self) -> Mapping[str, Path]:
        """Name → path: report.html, report.json, contrasts.csv, the figures …"""
        return self.publication.files

    def contrasts(self) -> DataFrame:
        """A line a comparison, with the columns of `contrasts.csv`: estimate, interval, p, verdict …"""
        return frames.of_contrasts(self.result)

    def arms(self) -> DataFrame:
        """A line an arm and metric, with the columns of `arms.csv`: mean, interval, seeds …"""
        return frames.of_means(self.result)

    def __repr__(self) -> str:
        return "\n".join([*self.sentences, f"report: {self.page}"])

    def _repr_html_(self) -> str:
        said = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences)
        page = self.page.resolve()
        return f'<ul>{said}</ul><p>report: <a href="{escape(page.as_uri())}">{escape(str(self.page))}</a></p>'
