import copy

import pytest

from crosscut.errors import InputError
from crosscut.sweepfile.patch import Override, get_path, has_path, leaves, merge, set_path

BASE = {"backbone": {"name": "scan", "direction": "t2i"}, "training": {"epochs": 6, "rates": [1, 2]}}


def test_mappings_merge_and_scalars_and_lists_replace():
    merged = merge(BASE, {"training": {"epochs": 9, "rates": [3]}, "loss": {"margin": 0.2}})

    assert merged == {
        "backbone": {"name": "scan", "direction": "t2i"},
        "training": {"epochs": 9, "rates": [3]},
        "loss": {"margin": 0.2},
    }


def test_a_patch_that_names_another_component_replaces_it_whole():
    assert merge(BASE, {"backbone": {"name": "vse++"}})["backbone"] == {"name": "vse++"}


def test_a_patch_that_names_the_same_component_keeps_its_options():
    patch = {"backbone": {"name": "scan", "pooling": "lse"}}

    assert merge(BASE, patch)["backbone"] == {"name": "scan", "direction": "t2i", "pooling": "lse"}


def test_a_patch_without_a_name_keeps_the_component():
    assert merge(BASE, {"backbone": {"direction": "i2t"}})["backbone"] == {"name": "scan", "direction": "i2t"}


def test_a_name_at_the_top_is_no_component():
    assert merge({"name": "a", "x": 1}, {"name": "b"}) == {"name": "b", "x": 1}


def test_neither_side_is_changed_nor_shared():
    base, patch = copy.deepcopy(BASE), {"training": {"rates": [3]}, "new": {"list": [1]}}
    merged = merge(base, patch)
    merged["new"]["list"].append(2)
    merged["backbone"]["direction"] = "i2t"
    merged["training"]["rates"].append(4)

    assert base == BASE
    assert patch == {"training": {"rates": [3]}, "new": {"list": [1]}}


def test_paths_reach_values():
    config = {"a": {"b": None, "c": [1]}, "d": 1}

    assert get_path(config, "a.c") == [1]
    assert get_path(config, "a.x.y") is None
    assert has_path(config, "a.b") and has_path(config, "d")
    assert not has_path(config, "a.x") and not has_path(config, "d.e") and not has_path(config, "a.b.c")
    assert dict(leaves({**config, "e": {}})) == {"a.b": None, "a.c": [1], "d": 1, "e": {}}


def test_setting_makes_what_is_missing_and_leaves_the_original():
    config = {"a": {"b": None}}

    assert set_path(config, "a.b.c", 1) == {"a": {"b": {"c": 1}}}
    assert set_path(config, "x.y", 1) == {"a": {"b": None}, "x": {"y": 1}}
    assert config == {"a": {"b": None}}


def test_setting_through_a_scalar_is_refused():
    with pytest.raises(KeyError, match="a"):
        set_path({"a": 1}, "a.b", 2)


@pytest.mark.parametrize(
    ("argument", "keys", "value"),
    [
        ("seeds.count=3", ("seeds", "count"), 3),
        ("search=null", ("search",), None),
        ("config.rate=1e-3", ("config", "rate"), 0.001),
        ("config.text=a=b", ("config", "text"), "a=b"),
        ("factors.margin.0.5.loss.margin=0.4", ("factors", "margin", "0.5", "loss", "margin"), 0.4),
        ("design.baseline.augment=off", ("design", "baseline", "augment"), "off"),
        (
            "search.space.loss.margin={uniform: [0, 1]}",
            ("search", "space", "loss.margin"),
            {"uniform": [0, 1]},
        ),
        ("search.space.lr.uniform=[0, 2]", ("search", "space", "lr", "uniform"), [0, 2]),
    ],
)
def test_overrides_reach_into_a_sweep_file(argument, keys, value):
    data = {
        "seeds": {"count": 5},
        "factors": {"margin": {"0.5": {}}},
        "search": {"space": {"lr": {"uniform": [0, 1]}}},
    }
    changed, _ = Override.parse(argument).apply(data)
    for key in keys:
        changed = changed[key]

    assert changed == value
    assert data["seeds"] == {"count": 5}


@pytest.mark.parametrize("argument", ["seeds.count", "=3", "seeds..count=3", ""])
def test_an_override_of_another_form_is_refused(argument):
    with pytest.raises(
        InputError, match=f"--set: found '{argument}', expected key=value, such as seeds.count=3"
    ):
        Override.parse(argument)


def test_an_override_that_is_not_yaml_is_refused():
    with pytest.raises(InputError, match=r"--set config=\{: line 1, column 2: this is not YAML"):
        Override.parse("config={").apply({})


def test_an_override_through_a_list_is_refused():
    with pytest.raises(
        InputError, match="hypotheses is a list of 2, which has no keys; set hypotheses as a whole"
    ):
        Override.parse("hypotheses.0=x").apply({"hypotheses": [{"a": "b" * 70}, {"a": "b"}]})
