import pytest

from crosscut.errors import InputError, Problem, near, one_of, shown


def test_a_sentence_names_file_key_found_expected_and_the_near_name():
    error = InputError.unexpected("a.yaml", "search.mode", "mx", "max or min", ["max", "min"])

    assert str(error) == "a.yaml: search.mode: found 'mx', expected max or min; did you mean 'max'?"


def test_a_sentence_about_a_whole_file_has_no_key():
    assert str(InputError.at("a.yaml", "", "the file is empty")) == "a.yaml: the file is empty"


def test_several_errors_say_how_many_and_have_a_line_each():
    error = InputError.listing("a.yaml", ["a.yaml: x: one", "a.yaml: y: two"])

    assert str(error).splitlines() == ["a.yaml: 2 errors", "  a.yaml: x: one", "  a.yaml: y: two"]


def test_the_same_error_twice_is_one():
    assert str(InputError.listing("a.yaml", ["a.yaml: x: one", "a.yaml: x: one"])) == "a.yaml: x: one"


def test_an_error_without_a_sentence_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        InputError.listing("a.yaml", [])


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("learning_rat", "learning_rate"),
        ("Margin", "margin"),
        ("marign", "margin"),
        ("colour", None),
        (3, None),
    ],
)
def test_near_finds_what_was_probably_meant(name, found):
    assert near(name, ["learning_rate", "margin"]) == (f"; did you mean {found!r}?" if found else "")


def test_options_in_words():
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b"]) == "a or b"
    assert one_of(["a", "b", "c"]) == "one of a, b, c"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (1.5, "1.5"),
        ("x", "'x'"),
        ({}, "an empty mapping"),
        ({"a": 1, "b": 2}, "a mapping with the keys a, b"),
        ([1, "x"], '[1, "x"]'),
        (list(range(100)), "a list of 100"),
        ("x" * 100, "'" + "x" * 57 + "...'"),
    ],
)
def test_values_are_shown_short_and_in_the_words_of_the_file(value, text):
    assert shown(value) == text


def test_a_problem_can_be_seen_from_further_out():
    problem = Problem(("high",), "too low").under("search", "space")

    assert problem.sentence("a.yaml") == "a.yaml: search.space.high: too low"
