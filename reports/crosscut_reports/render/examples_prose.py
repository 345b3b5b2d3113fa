"""What a report says of the queries that it shows: headings, captions and ranks."""

from __future__ import annotations

from crosscut_reports.render import numbers
from crosscut_reports.result import Examples, ShownQuery

HEADING = "Examples"


def sides(examples: Examples) -> list[tuple[str, tuple[ShownQuery, ...]]]:
    """A heading and its queries for either arm that has any."""
    found = [
        (f"{examples.left} ranks the right item better than {examples.right}", examples.for_left),
        (f"{examples.right} ranks the right item better than {examples.left}", examples.for_right),
    ]
    return [(heading, shown) for heading, shown in found if shown]


def words(shown: ShownQuery) -> str:
    """The query itself."""
    return " ".join(shown.view.words)


def ranks(shown: ShownQuery, arm: str) -> str:
    """`rank 1, 2, 1`, a seed each."""
    return f"rank {', '.join(map(numbers.count, shown.ranks[arm]))}"


def caption(examples: Examples) -> str:
    """Why these queries are shown, and what to make of them."""
    every = (*examples.for_left, *examples.for_right)
    looked_at = numbers.plural(examples.looked_at, "query")
    if not every:
        return (
            f"Of {looked_at} of {examples.name} that can be looked at there is none on which the ranks of "
            f"{examples.left} and {examples.right} differ."
        )
    seeds = numbers.plural(len(every[0].ranks[examples.left]), "common seed")
    return (
        f"Queries of {examples.name} on which {examples.left} and {examples.right} differ most, chosen for that "
        f"out of {looked_at} that can be looked at: they illustrate, and are no evidence of anything. A "
        "difference is that of the reciprocal ranks of the right item, averaged over "
        f"{seeds}; ranks are given seed by seed."
    )


def attention_caption(examples: Examples) -> str | None:
    """What is drawn over the pictures; None where no word attends."""
    if not any(shown.view.attention for shown in (*examples.for_left, *examples.for_right)):
        return None
    return (
        "For each word the regions that it attends to, averaged over the arm’s seeds, over the paled picture: the "
        "stronger the blue, the more weight, full strength being the arm’s largest weight for the query. So "
        "strengths compare within an arm, not between arms. An arm whose words attend to no regions has ranks "
        "alone."
    )
