"""Arms ranked within each seed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ranking:
    """Average ranks of arms over seeds, rank 1 being the best, with Friedman's test of their equality."""

    metric: str
    arms: tuple[str, ...]
    """The best first."""
    ranks: tuple[float, ...]
    """Average rank of each."""
    seeds: int
    """Seeds that all of the arms have."""
    chi_square: float
    df: float
    p: float
    F: float
    """Of Iman and Davenport."""
    F_df: tuple[float, float]
    F_p: float
    critical_difference: float
    """Of Nemenyi: average ranks that are further apart differ, at level alpha over all pairs."""
    groups: tuple[tuple[int, int], ...]
    """First and last place in `arms` of each largest run of arms that do not differ."""
