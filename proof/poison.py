"""Messages that must not be readings: every one different, every one to be found in quarantine."""

from random import Random

_TS = 1_900_000_000_000  # Any: a refused message has no time.


def make_poison(serial: str, number: int, chance: Random) -> tuple[str, bytes]:
    """Topic and payload of the `number`-th poisoned message of a run."""
    topic = f"millpond/v1/{serial}/telemetry"
    kind = chance.randrange(9)
    if kind == 0:
        return topic, b"\x00\xff" + number.to_bytes(8, "big") + chance.randbytes(40)
    if kind == 1:
        return topic, f'{{"boot":"p","seq":{number},"ts":{_TS},"metrics":{{"pm25_u'.encode()
    if kind == 2:
        return topic, b"[" * 5000 + str(number).encode()
    if kind == 3:
        return f"millpond/v1/nobody-{number}/telemetry", b'{"metrics":{"pm25_ugm3":1}}'
    if kind == 4 and number % 20 == 0:
        return topic, b'{"n":%d,"x":"' % number + b"x" * 300_000 + b'"}'
    return topic, _bad_sample(kind, number).encode()


def _bad_sample(kind: int, number: int) -> str:
    bad = {
        5: '"metrics":{"pm25_ugm3":NaN}',
        6: '"ts":"2026-03-01T12:00:00","metrics":{"pm25_ugm3":1}',
        7: '"metrics":{"no_such_metric":1}',
        8: '"metrics":{"pm25_ugm3":-5}',
    }.get(kind, '"metrics":{}')
    return f'{{"boot":"poison","seq":{number},{bad}}}'
