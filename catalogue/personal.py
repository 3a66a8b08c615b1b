"""What the catalogue has of a person: nothing."""

from millpond.kernel.personal import Table, nobodys

_BECAUSE = "what is sold"


def catalogue_personal() -> list[Table]:
    """Products, their prices and stock, and what fits what."""
    return [
        nobodys("product", "sku name category attributes imported added_at", because=_BECAUSE),
        nobodys("product_price", "sku price_minor currency valid_from valid_until", because=_BECAUSE),
        nobodys("product_stock", "sku units told_at", because=_BECAUSE),
        nobodys("compatibility", "from_sku to_sku relation weight condition evidence imported", because=_BECAUSE),
    ]
