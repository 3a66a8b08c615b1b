"""YAML as people write it by hand."""

from millpond.kernel.yaml_file import load_yaml


def test_only_true_and_false_are_booleans() -> None:
    assert load_yaml("{on: OFF, y: no, a: true, b: False, truer: trueish}", "x") == {
        "on": "OFF",
        "y": "no",
        "a": True,
        "b": False,
        "truer": "trueish",
    }
