"""Device models over HTTP and as a page: what each means by what it says."""

from devices.profile import shipped_profiles
from tests.api.world import World

MODEL = "ikea.starkvind"


def test_models_are_listed_page_by_page_and_searched(world: World) -> None:
    first = world.as_operator.get("/v1/device-models?limit=50").json()
    rest = world.as_operator.get(f"/v1/device-models?limit=50&cursor={first['next_cursor']}").json()
    models = [one["model"] for one in first["items"] + rest["items"]]
    assert models == sorted(shipped_profiles())
    found = world.as_operator.get("/v1/device-models?search=STARKVIND").json()["items"]
    assert [(one["model"], one["names"]["ko"], "tradfri" in one["speaks"]) for one in found] == [
        (MODEL, "이케아 스타르크빈드", True)
    ]


def test_a_model_says_what_it_measures_what_is_used_up_and_what_it_speaks(world: World) -> None:
    one = world.as_operator.get(f"/v1/device-models/{MODEL}").json()
    metrics = {metric["name"]: metric for metric in one["metrics"]}
    assert (metrics["filter_used_h"]["unit"], metrics["filter_used_h"]["max_value"]) == ("h", 200_000)
    [part] = one["parts"]
    limits = {limit["metric"]: (limit["measure"], limit["capacity"]) for limit in part["limits"]}
    assert limits["filter_used_h"] == ("used", 4320)
    [used] = [said for said in one["properties"] if said["said"] == "15025.5902"]
    assert (used["language"], used["metric"], used["unit"], used["scale"]) == (
        "tradfri",
        "filter_used_h",
        "min",
        1 / 60,
    )
    assert world.as_operator.get("/v1/device-models/nothing").status_code == 404


def test_an_operator_sees_models_and_languages_on_a_page(world: World) -> None:
    browser = world.browser("operator", "ops")
    listed = browser.get("/ops/profiles?q=stark").text
    assert MODEL in listed
    assert "reed-air-2" not in listed
    assert "zigbee2mqtt/#" in listed
    assert "No model is called so." in browser.get("/ops/profiles?q=nothing-like-it").text
    page = browser.get(f"/ops/profiles/{MODEL}").text
    for shown in ("filter_used_h: used of 4,320 h", "15025.5902", "65535", "180 days"):
        assert shown in page
    assert browser.get("/ops/profiles/nothing").status_code == 404
