"""Examples of what calls take, for the OpenAPI document: each is one that the model accepts."""

from typing import Any

_CUSTOMER, _STAFF, _STORE = "cus_9f86d081884c7d659a2f", "stf_2c26b46b68ffc68ff99b", "sto_fcde2b2edba56bf40860"

BODIES: dict[str, dict[str, Any]] = {
    "NewDevice": {
        "serial": "AIR-2-0001",
        "model": "reed-air-2",
        "region": "temperate",
        "customer_id": _CUSTOMER,
        "installed_at": "2026-03-01T09:00:00+09:00",
    },
    "DevicePatch": {"region": "temperate", "installed_at": "2026-03-01T09:00:00+09:00"},
    "NewCredential": {"kind": "password", "days": 365},
    "FirstContact": {"serial": "AIR-2-0001", "claim_code": "7K3M-9QRT-0XWE-4H2B"},
    "UsedCredential": {"username": "AIR-2-0001~2", "password": "3q2-7wAAEjRWeJCrze8QMlR2mLrc_v8BI0VniavN7xI"},
    "NewCustomer": {"name": "Ann", "external_key": "home-17", "locale": "ko-KR", "time_zone": "Asia/Seoul"},
    "NewStore": {"name": "Harbour", "currency": "EUR", "time_zone": "Europe/Berlin"},
    "NewStaff": {"store_id": _STORE, "name": "Mina", "customer_id": _CUSTOMER},
    "ScannedCode": {"token": "eyJhbGciOiJFZERTQSJ9.eyJ0eXAiOiJiYWRnZSJ9.c2lnbmF0dXJl"},
    "HandOver": {"to_staff_id": _STAFF, "reason": "Mina moves to another city"},
    "NewOrder": {
        "customer_id": _CUSTOMER,
        "channel": "app",
        "currency": "EUR",
        "items": [{"sku": "REED-HEPA-H13", "quantity": 1}],
    },
    "Look": {"note": "the shop sent the invoice"},
    "Admission": {"model": "reed-air-2", "serial": "AIR-2-0001", "region": "temperate"},
    "NewLobbyRule": {"format": "zigbee2mqtt", "pattern": "purifier-*", "model": "reed-air-2", "region": "temperate"},
    "NewAlias": {"format": "zigbee2mqtt", "external_id": "kitchen purifier"},
    "NewRetry": {"code": "unknown_metric", "model": "reed-air-2"},
    "Retry": {"dry_run": True},
    "NewEdit": {
        "payload": '{"boot":"7f3c","seq":41,"metrics":{"filter_life_pct":64}}',
        "note": "the firmware wrote a comma too many",
        "dry_run": True,
    },
    "NewRefund": {"amount": {"amount_minor": 1990, "currency": "EUR"}, "reason": "came back unused"},
}

PARAMETERS: dict[str, Any] = {
    "Idempotency-Key": "order-2026-03-01-0017",
    "serial": "AIR-2-0001",
    "slot": "1",
    "customer_id": _CUSTOMER,
    "staff_id": _STAFF,
    "store_id": _STORE,
    "binding_id": "bnd_486ea46224d1bb4fb680",
    "offer_id": "off_6b86b273ff34fce19d6b",
    "order_id": "ord_d4735e3a265e16eee03f",
    "decision_id": "dec_4e07408562bedb8b60ce",
    "metric": "filter_life_pct",
    "from": "2026-03-01T00:00:00+09:00",
    "to": "2026-03-08T00:00:00+09:00",
    "bucket": "1d",
    "month": "2026-03",
    "lobby_id": "lob_4a44dc15364204a80fe8",
    "rule_id": "rule_f5ca38f748a1d6eaf726",
    "state": "waiting",
    "search": "purifier",
    "quarantine_id": 4711,
    "code": "unknown_metric",
    "model": "reed-air-2",
    "topic": "millpond/v1/AIR-2",
    "stored": True,
    "decided": True,
    "connection": "online",
    "reporting": "quiet",
    "limit": 50,
    "cursor": "WzQyXQ",
}
