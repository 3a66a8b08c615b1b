"""What is wrong with a profile, and what is probably not meant so, each with its line."""

import pytest

from devices.profile_check import Surroundings, check_profile
from millpond.kernel.errors import InvalidInput

GOOD = """model: acme
name: {en: Acme, ko: 에이크미, zh: Acme}
category: air_purifier
metrics:
  filter_used_h: {unit: h, min: 0, max: 100000}
parts:
  - part: filter
    consumable: generic-hepa
    prior_life_days: 180
    limits:
      - {metric: filter_used_h, measure: used, capacity: 3000}
speaks:
  dyson:
    age: {metric: filter_used_h, unit: min}
"""


def check(text: str) -> list[tuple[str, bool]]:
    known = Surroundings({"generic-hepa"}, ["dyson", "miot"])
    remarks = check_profile(text, "one.yaml", known)
    return [(f"{one.line}: {one.place}: {one.sentence}", one.is_fault) for one in remarks]


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("model: acme\n", "", ["1: model: model is missing"]),
        ("capacity: 3000", "capacity: 0", ["11: parts.0.limits.0.capacity: Input should be greater than 0"]),
        (", capacity: 3000", "", ["11: parts.0.limits.0: filter_used_h counts, so it needs a capacity"]),
        ("measure: used", "measure: usage", ["11: parts.0.limits.0.measure: Input should be 'percent_remain"]),
        ("unit: h,", "unit: h, mim: 0,", ["5: metrics.filter_used_h.mim: there is no such key as mim"]),
        ("{metric: filter_used_h, unit: min}", "filter_h", ["14: speaks.dyson.age: acme has no metric filter_h"]),
        ("unit: min}", "unit: litres}", ["14: speaks.dyson.age: filter_used_h is in 'h', and 'litres' is not"]),
        ("    age:", "    4.3:", ["14: speaks.dyson.4.3: 4.3 is taken for a number or a date: put it in quotes"]),
        (
            "{unit: h,",
            "{kind: state,",
            [
                "11: parts.0.limits.0: filter_used_h is a state, and a used is a number",
                "14: speaks.dyson.age: filter_used_h",
            ],
        ),
        ("model: acme\n", "model: Acme X\nsku: '?'\n", ["1: model: String should match", "2: sku: SKU '?' is not 1"]),
    ],
)
def test_each_fault_is_one_sentence_with_its_line(was: str, becomes: str, said: list[str]) -> None:
    remarks = check(GOOD.replace(was, becomes))
    assert all(is_fault for _, is_fault in remarks)
    for (line, _), beginning in zip(remarks, said, strict=True):
        assert line.startswith(beginning)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (", ko: 에이크미", "", "2: name: acme has no name in ko: there it is shown in English"),
        ("unit: h, min: 0,", "unit: h,", "5: metrics.filter_used_h: filter_used_h has no range"),
        ("air_purifier", "toaster", "3: category: toaster is none of air_purifier, humidifier,"),
        ("generic-hepa", "nothing", "7: parts.0: no consumable is called nothing"),
        ("_days: 180", "_days: 100", "7: parts.0: 3000 hours cannot be used up in 100 days"),
        ("  dyson:", "  dysin:", "14: speaks.dysin: dysin is none of the languages dyson, miot"),
        ("metrics:", "metrics:\n  x: {unit: moons, min: 0, max: 9}", "5: metrics.x: moons is no known unit"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(was: str, becomes: str, said: str) -> None:
    line, is_fault = check(GOOD.replace(was, becomes, 1))[0]
    assert (line.startswith(said), is_fault) == (True, False)


def test_of_a_good_profile_there_is_nothing_to_say() -> None:
    assert check(GOOD) == []


def test_what_is_no_yaml_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"one\.yaml is not YAML: 'model' is there twice"):
        check(GOOD.replace("category:", "model: again\ncategory:"))
