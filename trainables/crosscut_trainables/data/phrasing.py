"""Languages: the same captions in other words, with every word's boxes carried along.

A caption is retold from its usual words, statement by statement. `terse` leaves out articles and verbs;
`verbose` puts fillers around and between the statements; `paraphrase` turns the statements it knows into other
constructions (`a two with a zero at its left`, `the top row contains a seven`) and then takes other words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from crosscut_trainables.data.draws import Draws
from crosscut_trainables.data.phrase import PLURAL, SINGULAR, Phrase, Told, say, whole, words
from crosscut_trainables.data.scene import Box

Language = Literal["usual", "paraphrase", "terse", "verbose"]

TRIES = 10
"""Times that a caption is retold until it differs from the scene's others; then another takes its place."""


def retell(
    captions: Sequence[Told], language: Language, draws: Draws, more: Callable[[Draws], Sequence[Told]]
) -> list[Phrase]:
    """As many different captions in another language, in their order.

    Two usual captions may be one and the same without their articles; `more` gives others in their place.
    """
    if language == "usual":
        return [whole(told) for told in captions]
    retold: dict[tuple[str, ...], Phrase] = {}
    for told in captions:
        while True:
            found = (_RETELL[language](told, draws) for _ in range(TRIES))
            phrase = next((phrase for phrase in found if words(phrase) not in retold), None)
            if phrase is not None:
                retold[words(phrase)] = phrase
                break
            told = draws.pick(more(draws))
    return list(retold.values())


# Terse

LEFT_OUT = {"a", "an", "the", "there", "is", "are", "holds"}
"""Articles, verbs and what goes with them: words that terse captions do without."""


def _terse(told: Told, draws: Draws) -> Phrase:
    phrase: Phrase = ()
    for part in told:
        if found := _located(part):
            content, place = found
            part = content + say("in") + place
        before = ""
        for word, boxes in part:
            # `left of` is short for `to the left of`, but `next to` stays.
            if word not in LEFT_OUT and (word != "to" or before == "next"):
                phrase += (("and" if word == "while" else word, boxes),)
            before = word
    return phrase


# Verbose

OPENINGS = (
    "in this picture we can see the following",
    "to put it in plain words",
    "if you take a good look at it",
    "as far as we can tell",
    "well it seems that what we have is this",
    "it should be said from the start that here",
)
JOINTS = ("and what is more", "and besides that", "and apart from that")
ENDINGS = ("", "", "as everybody can see", "if we are not mistaken", "so much is certain")
"""Fillers: they say nothing of the scene and refer to no place."""
BROKEN_OFF = {"the", "in", "of", "is", "number"}
"""Last words of a sentence that is broken off, after which no filler comes."""


def _verbose(told: Told, draws: Draws) -> Phrase:
    phrase = say(draws.pick(OPENINGS))
    for number, part in enumerate(told):
        phrase += say(draws.pick(JOINTS)) if number % 2 else part
    return phrase if phrase[-1][0] in BROKEN_OFF else phrase + say(draws.pick(ENDINGS))


# Paraphrase

PLACE_WORDS = {"the", "top", "middle", "bottom", "left", "right", "second", "third"} | {
    *("row", "column", "corner", "centre", "cell", "of")
}
NOUNS = {*SINGULAR, *PLURAL}
GROUP_WORDS = {"a", "an", "the", "another", "and", *NOUNS}
RELATIVE: dict[tuple[str, ...], str] = {
    ("left", "of"): "at {} left",
    ("right", "of"): "at {} right",
    ("above",): "further up",
    ("over",): "further up",
    ("below",): "further down",
    ("under",): "further down",
    ("next", "to"): "as {} neighbour",
    ("beside",): "as {} neighbour",
}
"""Words of a relation of A to B → what B has A as."""
SYNONYMS: dict[str, tuple[str, ...]] = {
    "zero": ("nought",),
    "zeros": ("noughts",),
    "digit": ("numeral",),
    "digits": ("numerals",),
    "grid": ("board",),
    "row": ("tier",),
    "column": ("stack",),
    "cell": ("square",),
    "centre": ("very middle",),
    "only": ("just", "solely"),
    "but": ("except",),
    "above": ("higher than",),
    "over": ("higher than",),
    "below": ("lower than", "beneath"),
    "under": ("lower than", "beneath"),
    "beside": ("adjacent to", "alongside"),
    "holds": ("contains",),
    "while": ("whereas",),
    "number": ("figure",),
    "empty": ("blank", "vacant"),
}
LINES = {
    "top": "uppermost",
    "bottom": "lowest",
    "left": "leftmost",
    "right": "rightmost",
    "middle": "central",
}
"""Other words for which row or column it is."""
HALVES = {"top": "upper", "bottom": "lower", "left": "left", "right": "right"}
"""Other words for which corner, and for which part of a line, it is."""
COUNTED = {"two": "pair", "three": "trio", "four": "quartet"}


def _paraphrase(told: Told, draws: Draws) -> Phrase:
    return _reworded(whole(_recast(part, draws) for part in told), draws)


def _recast(part: Phrase, draws: Draws) -> Phrase:
    """A statement in another construction; as it is where its kind is none of those known here."""
    if located := _located(part):
        content, place = located
        verb = "are" if _many(content) or "and" in words(content) else "is"
        return draws.pick(
            (
                place + say("contains") + content,
                say("in") + place + say("you find") + content,
                content + say(f"{verb} located in") + place,
            )
        )
    if empty := _empty(part):
        place, boxes = empty
        blank = say(draws.pick(("blank", "vacant")), *boxes)
        return draws.pick(
            (place + say("contains nothing"), say("you find nothing in") + place, place + say("is") + blank)
        )
    if related := _related(part):
        return part if draws.chance(0.3) else related
    start = words(part[:2])
    named = start in (("there", "is"), ("there", "are")) and "nothing" not in words(part)
    if named or (len(part) > 1 and GROUP_WORDS.issuperset(words(part))):
        things = part[2:] if named else part
        options = [say("you find") + things, say("the picture shows") + things]
        if things[-1][0] not in BROKEN_OFF:
            options.append(things + say("can be seen"))
        return draws.pick(options)
    if words(part[:3]) == ("a", "grid", "with"):
        return say("a grid that shows") + part[3:]
    if words(part[-2:]) == ("in", "all"):
        return say("altogether") + part[:-2]
    return part


def _many(things: Phrase) -> bool:
    """Whether the first thing that is named is several: it has no article, or a number after it."""
    text = words(things)
    return any(word in PLURAL or word == "digits" for word in text[: 3 if text[0] == "the" else 2])


def _related(part: Phrase) -> Phrase | None:
    """`B with A at its left` for `A left of B`."""
    text = words(part)
    for relation, relative in RELATIVE.items():
        for i in range(1, len(text) - len(relation)):
            if text[i : i + len(relation)] != relation:
                continue
            first, second = part[:i], part[i + len(relation) :]
            if words(first[-2:]) == ("to", "the"):
                first = first[:-2]
            verb = words(first[-1:])[0] in ("is", "are")
            first = first[:-1] if verb else first
            if words(first[:1]) == ("there",):
                first = first[2:]
            if not (GROUP_WORDS.issuperset(words(first)) and GROUP_WORDS.issuperset(words(second))):
                continue
            if second[0][0] == "another":
                # `a three left of another three`: the one that is named first is `a three` here as well.
                first, second = second[:1] + first[1:], first[:1] + second[1:]
            many = _many(second)
            have = ("have" if many else "has") if verb else "with"
            return second + say(have) + first + say(relative.format("their" if many else "its"))
    return None


def _located(part: Phrase) -> tuple[Phrase, Phrase] | None:
    """What stands in a place, and the place, of `in P there is C`, `P holds C`, `C in P` and the like."""
    text = words(part)
    for i, word in enumerate(text):
        if word in ("there", "holds") and i and PLACE_WORDS.issuperset(text[text[0] == "in" : i]):
            content, place = part[i + 1 + (word == "there") :], part[text[0] == "in" : i]
        elif word == "in" and i and PLACE_WORDS.issuperset(text[i + 1 :]):
            content, place = part[:i], part[i + 1 :]
            if content[-1][0] in ("is", "are"):
                content = content[:-1]
            if words(content[:1]) == ("there",):
                content = content[2:]
        else:
            continue
        named = words(content)
        if place and GROUP_WORDS.issuperset(named) and named[-1:] and named[-1] in NOUNS:
            return content, place
    return None


def _empty(part: Phrase) -> tuple[Phrase, tuple[Box, ...]] | None:
    """The place that a statement says is empty, and its box."""
    text = words(part)
    if text[:2] == ("an", "empty"):
        place = say("the") + part[2:]
    elif text[-2:] == ("is", "empty"):
        place = part[:-2]
    elif text[:4] in (("there", "is", "nothing", "in"), ("nothing", "is", "in", "the")):
        place = part[3 + (text[0] == "there") :]
    else:
        return None
    return (place, place[1][1]) if PLACE_WORDS.issuperset(words(place)) else None


def _reworded(phrase: Phrase, draws: Draws) -> Phrase:
    """Other words for single words, where there are some, and with a changed word the article that it takes."""
    text = words(phrase)
    result: Phrase = ()
    for i, (word, boxes) in enumerate(phrase):
        after = text[i + 1 : i + 2]
        before = text[i - 1] if i else ""
        counts = word in COUNTED and before != "of" and after and (after[0] in PLURAL or after[0] == "digits")
        if counts and draws.chance(0.5):
            article = "" if before == "the" else "a"
            result += say(article) + say(COUNTED[word], *boxes) + say("of")
        elif word in LINES and after in (("row",), ("column",)):
            result += say(LINES[word], *boxes)
        elif word in HALVES and ({*text[i + 1 : i + 3]} & {"corner", "part"}):
            result += say(HALVES[word], *boxes)
        elif word in SYNONYMS and draws.chance(0.8):
            result += say(draws.pick(SYNONYMS[word]), *boxes)
        else:
            result += ((word, boxes),)
    return tuple(
        ("a" if word == "an" and result[i + 1][0][0] not in "aeiou" else word, boxes)
        for i, (word, boxes) in enumerate(result)
    )


_RETELL: dict[Language, Callable[[Told, Draws], Phrase]] = {
    "terse": _terse,
    "verbose": _verbose,
    "paraphrase": _paraphrase,
}
