"""What a web framework costs by itself: the references of `benchmarks.offers`."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/async")
async def get_async() -> dict[str, str]:
    """A coroutine that waits for nothing, as `/healthz` is."""
    return {"status": "alive"}


@app.get("/def")
def get_def() -> dict[str, str]:
    """A function in a thread, as all calls are that ask the database."""
    return {"status": "alive"}
