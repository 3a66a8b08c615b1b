"""`millpond decode` where only a model says what a fleet's property is: by the models that fit best."""

from tests.cli.conftest import Run
from tests.cli.test_decode_of_fleets import decode, parts

WATERER = {"filter_left_time": 12, "cotton_left_time": 60, "remain_clean_time": 3, "no_water_flag": True, "on": True}
MOP_VACUUM = {"main_brush_life_level": 81, "main_brush_time_left": 14580, "filter_time_left": 7290}
TUYA_VACUUM = {"edge_brush": 8100, "roll_brush": 16200, "filter": 8050, "duster_cloth": 700, "electricity_left": 88}


def test_of_what_only_a_model_says_the_unit_it_is_that_of_the_models_that_fit_best(millpond: Run) -> None:
    assert parts(decode(millpond, "miot", WATERER)) == [
        ("filter", "remaining", 12, "d"),
        ("cotton", "remaining", 60, "d"),
    ]
    assert parts(decode(millpond, "miot", MOP_VACUUM)) == [
        ("main_brush", "percent_remaining", 81, "pct"),
        ("main_brush", "remaining", 14580, "min"),
        ("filter", "remaining", 7290, "min"),
    ]
    assert parts(decode(millpond, "tuya", TUYA_VACUUM)) == [
        ("side_brush", "remaining", 8100, "min"),
        ("main_brush", "remaining", 16200, "min"),
        ("filter", "remaining", 8050, "min"),
        ("mop", "remaining", 700, "min"),
        ("battery", "percent_remaining", 88, "pct"),
    ]


def test_where_models_that_fit_differ_the_commonest_unit_is_taken(millpond: Run) -> None:
    assert parts(decode(millpond, "miot", {"filter_left_time": 12})) == [("filter", "remaining", 12, "h")]
    assert parts(decode(millpond, "tuya", {"filter": 42})) == [("filter", "percent_used", 42, "pct")]


def test_numbers_alone_that_a_model_knows_better_than_the_language_are_read_by_the_model(millpond: Run) -> None:
    numbers = [{"siid": 4, "piid": 1, "code": 0, "value": 45}, {"siid": 4, "piid": 3, "code": 0, "value": 1915}]
    assert parts(decode(millpond, "miot", numbers)) == [
        ("filter", "percent_remaining", 45, "pct"),
        ("filter", "used", 1915, "h"),
    ]


def test_a_unit_is_known_of_what_limits_no_part_of_the_models_that_fit(millpond: Run) -> None:
    said = [("filter_life_remaining", 1, 60), ("filter_hours_used", 3, 1400), ("filter_left_time", 4, 144)]
    answers = [{"did": did, "siid": 4, "piid": piid, "code": 0, "value": value} for did, piid, value in said]
    assert ("filter", "remaining", 144, "d") in parts(decode(millpond, "miot", answers))
