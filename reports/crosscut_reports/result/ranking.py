"""Arms by their average rank over seeds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ranking:
    """Average ranks with Friedman's test and Nemenyi's critical difference; exploratory, at new seeds and these
    queries."""

    metric: str
    arms: tuple[str, ...]
    """By rising average rank, the best first."""
    ranks: tuple[float, ...]
    """Average rank of each; 1 is best."""
    seeds: int
    """Seeds that all of the arms have."""
    chi2: float
    F: float | None
    """Iman and Davenport's; None where every seed ranks the arms alike, so that it has no bound."""
    df1: float
    df2: float
    p: float
    critical: float
    """Average ranks that lie at least so far apart differ, all pairs taken together."""
    groups: tuple[tuple[int, int], ...]
    """First and last place of arms that no pair tells apart; the largest of such stretches."""
