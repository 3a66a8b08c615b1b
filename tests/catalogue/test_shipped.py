"""What ships: each name in each of our languages."""

from catalogue.entries import shipped_catalogue
from devices.profile import shipped_consumables, shipped_profiles
from millpond.kernel.language import LANGUAGES


def test_whatever_ships_has_a_name_in_every_language() -> None:
    named = [product.name for product in shipped_catalogue().products]
    named += [consumable.name for consumable in shipped_consumables()]
    named += [profile.name for profile in shipped_profiles().values()]
    assert len(named) > 25
    for names in named:
        assert {language for language, name in names.items() if name.strip()} == set(LANGUAGES), names
