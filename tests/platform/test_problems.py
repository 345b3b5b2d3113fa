from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from crosscut.sweepfile.problems import problems_of


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(Options):
    name: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)] = 9


class Dog(Options):
    name: Literal["dog"]
    tricks: list[str] = []


class House(Options):
    pet: Annotated[Cat | Dog, Field(discriminator="name")] | None = None
    rooms: dict[str, int] = {}
    size: int | Literal["auto"] = "auto"
    floors: tuple[float, ...] = ()
    door: Literal["open", "shut"] = "open"
    label: Annotated[str, Field(min_length=2, pattern="^[a-z]+$")] = "home"
    ready: bool = True
    owner: str = Field(default=..., description="Who lives there.")


def sentences(**data):
    with pytest.raises(ValidationError) as caught:
        House.model_validate({"owner": "me", **data})
    return [problem.sentence("") for problem in problems_of(caught.value, House)]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            {"pet": {"name": "cat", "livs": 3}},
            "pet.livs: unknown key, expected name or lives; did you mean 'lives'?",
        ),
        ({"pet": {"name": "cat", "lives": 10}}, "pet.lives: found 10, expected a number of at most 9"),
        ({"pet": {"name": "cta"}}, "pet.name: found 'cta', expected cat or dog; did you mean 'cat'?"),
        ({"pet": {"lives": 3}}, "pet.name: this key is missing, expected cat or dog"),
        ({"pet": "cat"}, "pet: found 'cat', expected a mapping with the name cat or dog"),
        ({"pet": {"name": "dog", "tricks": "sit"}}, "pet.tricks: found 'sit', expected a list"),
        ({"pet": {"name": "dog", "tricks": ["sit", 3]}}, "pet.tricks.1: found 3, expected text"),
        ({"rooms": {"bath": "one"}}, "rooms.bath: found 'one', expected a whole number"),
        ({"size": "big"}, "size: found 'big', expected a whole number or auto"),
        ({"floors": [1, "x"]}, "floors.1: found 'x', expected a number"),
        ({"door": "opn"}, "door: found 'opn', expected open or shut; did you mean 'open'?"),
        ({"label": "A"}, "label: found 'A', expected text of at least 2 characters"),
        ({"label": "ABC"}, "label: found 'ABC', expected text of the form ^[a-z]+$"),
        ({"ready": 7}, "ready: found 7, expected true or false"),
        (
            {"tricks": []},
            "tricks: unknown key, expected one of pet, rooms, size, floors, door, label, ready, owner",
        ),
    ],
)
def test_what_pydantic_found_is_told_in_our_words(data, sentence):
    assert sentences(**data) == [sentence]


def test_a_missing_key_says_what_it_is_for():
    with pytest.raises(ValidationError) as caught:
        House.model_validate({})

    assert [problem.sentence("") for problem in problems_of(caught.value, House)] == [
        "owner: this key is missing: who lives there"
    ]


def test_several_problems_keep_their_order():
    assert sentences(door=1, ready=7, size=[]) == [
        "size: found [], expected a whole number or auto",
        "door: found 1, expected open or shut",
        "ready: found 7, expected true or false",
    ]
