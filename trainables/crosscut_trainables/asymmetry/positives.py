"""Positives of asymmetry II and III: texts that stay true of the image.

From arXiv 2405.10029. [reading] II, an image says more than a text: a caption that is cut short, or loses words.
III, captions of one image say different things: a sibling, or two joined.
"""

from __future__ import annotations

from collections.abc import Mapping

from crosscut_trainables.asymmetry.caption import Caption, Make, Words
from crosscut_trainables.data.draws import Draws


def truncate(caption: Caption, draws: Draws) -> Words:
    """The beginning, half of the words at least."""
    words = caption.words
    return words[: draws.between(-(-len(words) // 2), len(words))]


def drop(caption: Caption, draws: Draws) -> Words:
    """Some words are left out; one at least stays."""
    words = caption.words
    count = min(caption.changes(len(words)), max(len(words) - 1, 0))
    gone = set(draws.shuffled(range(len(words)), count))
    return [word for place, word in enumerate(words) if place not in gone]


def sibling(caption: Caption, draws: Draws) -> Words:
    """Another caption of the image; its own where there is no other."""
    return draws.pick(caption.siblings) if caption.siblings else caption.words


def join(caption: Caption, draws: Draws) -> Words:
    """The caption and another of its image, one after the other."""
    return [*caption.words, *draws.pick(caption.siblings)] if caption.siblings else caption.words


def mixed(caption: Caption, draws: Draws) -> Words:
    """One of the others, each as likely."""
    return draws.pick((truncate, drop, sibling, join))(caption, draws)


POSITIVES: Mapping[str, Make] = {
    "truncate": truncate,
    "drop": drop,
    "sibling": sibling,
    "join": join,
    "mixed": mixed,
}
"""Every way by name. A new one is one function and one line here."""
