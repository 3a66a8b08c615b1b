"""Sources from the command line: their keys are printed once, and rotate; the list has figures and no key."""

from tests.cli.conftest import Run, assert_one_sentence


def test_a_source_gets_a_key_another_one_and_loses_the_first(database: str, millpond: Run) -> None:
    on = {"MILLPOND_DATABASE_URL": database}
    made = millpond("source", "add", "Shop", "--kind", "web", "--origin", "https://shop.example", **on)
    first, key = made.stdout.splitlines()
    assert first == "source 1 Shop: key 1", made.stderr
    assert millpond("source", "key", 1, **on).stdout.startswith("source 1: key 2\nwrite key ")
    assert millpond("source", "end-key", 1, 1, **on).stdout == "source 1: key 1 ended\n"
    listed = millpond("source", "list", **on).stdout
    assert "Shop" in listed
    assert "2 …" in listed
    assert "1 …" not in listed
    assert key.removeprefix("write key ") not in listed
    assert_one_sentence(millpond("source", "add", "Till", "--kind", "web", "--scope", "orders", **on), "no other")
    assert_one_sentence(millpond("source", "add", "Till", "--kind", "pigeon", **on), "kinds are web")
    assert_one_sentence(millpond("source", "end-key", 1, 1, **on), "no key 1")
