"""What a client's program is told, and how it speaks with the person at the browser."""

import json
import os
import ssl
from collections.abc import Callable

scene = json.loads(os.environ["SCENE"])
"""See fixtures.mjs."""


def say(line: str) -> None:
    print(line, flush=True)


def visit(url: str) -> str:
    """Sends the person to an address; where they arrived."""
    say(f"visit {url}")
    return json.loads(input())["url"]


def trust() -> ssl.SSLContext:
    """Believes the demo's own certificate."""
    return ssl.create_default_context(cafile=scene["root"])


def refused(kind: type[Exception], work: Callable[[], object]) -> Exception:
    """Fails unless `work` is refused; what the refusal says."""
    try:
        work()
    except kind as error:
        return error
    raise AssertionError("it was not refused")
