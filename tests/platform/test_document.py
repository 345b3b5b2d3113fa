import pytest

from crosscut.errors import InputError
from crosscut.sweepfile import document


def test_keys_stay_as_typed():
    found = document.load("factors: {augment: {off: {}, on: {}, 0.20: {}, 1: {}, null: {}}}", "a.yaml")

    assert list(found["factors"]["augment"]) == ["off", "on", "0.20", "1", "null"]


def test_level_names_in_the_design_stay_as_typed():
    design = "design: {baseline: {a: off}, exclude: [{a: [on, 0.20]}], arms: [{a: 1}]}"
    found = document.load(f"{design}\nconfig: {{mask: off, x: 0.20}}", "a.yaml")

    assert found["design"] == {
        "baseline": {"a": "off"},
        "exclude": [{"a": ["on", "0.20"]}],
        "arms": [{"a": "1"}],
    }
    assert found["config"] == {"mask": False, "x": 0.2}


def test_numbers_without_a_dot_before_the_exponent_are_numbers():
    assert document.load("a: [1e-3, 2E5, -1e+2, 1.5e-3]", "a.yaml") == {"a": [1e-3, 2e5, -1e2, 1.5e-3]}


def test_dates_are_text():
    assert document.load("a: 2024-05-01", "a.yaml") == {"a": "2024-05-01"}


def test_anchors_and_merges_work():
    found = document.load("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "a.yaml")

    assert found["b"] == {"x": 1, "y": 3}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "a: 1\nb: {c: 1, d: 2, c: 3}",
            "line 2, column 17: the key 'c' stands here a second time (first in line 2)",
        ),
        ("a: b: c", "line 1, column 5: this is not YAML: mapping values are not allowed here"),
        ("a:\n\tb: 1", "YAML is indented with spaces, never with tabs"),
        ("a: [1, 2", "line 1, column 9: this is not YAML"),
        ("? [a]\n: 1", "a key is plain text, not a list or a mapping"),
        ("a: !thing x", "could not determine a constructor for the tag '!thing'"),
        ("a: &a [*a]", "line 1, column 4: found unconstructable recursive node"),
        ("a: \x00", "this is not YAML: unacceptable character"),
        ("a: " + "9" * 5000, "a value cannot be read: Exceeds the limit"),
        ("[" * 5000, "this is nested too deep to be a sweep"),
        ("", "the file is empty, expected a sweep"),
        ("# only a comment", "the file is empty"),
        ("- a", 'found ["a"], expected a sweep: a mapping'),
        ("a: 1\n---\nb: 2", "this is not YAML: but found another document"),
    ],
)
def test_broken_yaml_is_told_with_file_and_place(text, sentence):
    with pytest.raises(InputError) as caught:
        document.load(text, "a.yaml")

    assert str(caught.value).startswith("a.yaml: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_utf8_is_refused(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_bytes(b"name: caf\xe9\n")

    with pytest.raises(InputError, match=r"a\.yaml: this is not UTF-8 text \(byte 9\)"):
        document.read_text(file, "a.yaml")


def test_what_json_cannot_hold_is_named_with_its_place():
    problems = list(document.strangers({"a": [1, float("nan")], "b": {"c": b"x"}, "d": [None, "x", True]}))

    assert [problem.sentence("") for problem in problems] == [
        "a.1: found NaN, expected a finite number",
        "b.c: found b'x', expected text, a number, true, false, a list or a mapping",
    ]
