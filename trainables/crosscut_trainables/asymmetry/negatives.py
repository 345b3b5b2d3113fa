"""Negatives of asymmetry I: a true caption with noise, so that it says what its image does not show.

From arXiv 2405.10029, which names the strategies. [reading] How much noise, and where, are ours. A text that
happens to stay true cannot be told, here as there.
"""

from __future__ import annotations

from collections.abc import Mapping

from crosscut_trainables.asymmetry.caption import Caption, Make, Words
from crosscut_trainables.data.draws import Draws


def replace(caption: Caption, draws: Draws) -> Words:
    """Some words become other words of the vocabulary."""
    words = list(caption.words)
    for place in draws.shuffled(range(len(words)), caption.changes(len(words))):
        words[place] = _other_than(words[place], caption, draws)
    return words


def insert(caption: Caption, draws: Draws) -> Words:
    """Words of the vocabulary come in between."""
    words = list(caption.words)
    for _ in range(caption.changes(len(words))):
        words.insert(draws.between(0, len(words)), caption.word(draws))
    return words


def swap(caption: Caption, draws: Draws) -> Words:
    """Pairs of words change places; of a text whose words are all one, nothing can."""
    words = list(caption.words)
    if len(set(words)) < 2:
        return replace(caption, draws)
    for _ in range(max(1, caption.changes(len(words)) // 2)):
        first = draws.below(len(words))
        rest = [place for place, word in enumerate(words) if word != words[first]]
        second = draws.pick(rest)
        words[first], words[second] = words[second], words[first]
    # Several exchanges may undo each other.
    return words if words != list(caption.words) else swap(caption, draws)


def clause(caption: Caption, draws: Draws) -> Words:
    """The end of another image's caption takes the place of its own end."""
    own, other = list(caption.words), list(caption.other(draws))
    kept = own[: max(1, len(own) - max(1, len(own) // 2))] if len(own) > 1 else []
    return kept + other[len(other) // 2 :]


def mixed(caption: Caption, draws: Draws) -> Words:
    """One of the others, each as likely."""
    return draws.pick((replace, insert, swap, clause))(caption, draws)


NOISES: Mapping[str, Make] = {
    "replace": replace,
    "insert": insert,
    "swap": swap,
    "clause": clause,
    "mixed": mixed,
}
"""Every strategy by name. A new one is one function and one line here."""


def _other_than(word: int, caption: Caption, draws: Draws) -> int:
    for _ in range(100):
        drawn = caption.word(draws)
        if drawn != word:
            return drawn
    return word
