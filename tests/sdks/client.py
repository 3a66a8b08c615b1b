"""One of the SDKs from PyPI: sends as many events as its input says, and says at the end what became of them."""

import json
import sys
from importlib import import_module
from typing import Any

_MODULES = {"segment-python": "segment.analytics.client", "rudder-python": "rudderstack.analytics.client"}


def main(sdk: str, host: str, write_key: str) -> None:
    """Send until the input ends, wait until the SDK is done, and print which events it was told are taken or lost."""
    failed: list[str] = []

    def on_error(_error: Exception, batch: list[dict[str, Any]]) -> None:
        failed.extend(each["messageId"] for each in batch)

    may = {"upload_size": 20, "upload_interval": 0.1, "max_retries": 20, "gzip": True, "max_queue_size": 10_000}
    client = import_module(_MODULES[sdk]).Client(write_key, host=host, on_error=on_error, **may)
    sent: list[str] = []
    for line in sys.stdin:
        for _ in range(int(line)):
            sent.append(f"{sdk}-{len(sent)}")
            client.track("ann", "Product Viewed", {"sku": "SKU-1"}, message_id=sent[-1])
    client.flush()
    client.join()
    print(json.dumps({"taken": sorted(set(sent) - set(failed)), "failed": failed}))


main(*sys.argv[1:])
