"""How the harness speaks to the tool outside: one line of JSON for each thing that happens."""

import json
import sys
from typing import Any

BEGIN, FILLED, FIRST, END = "begin", "filled", "first", "end"


def emit(event: str, **values: Any) -> None:
    """Tell the tool; it reads processor times, or starts workers, when it hears of it."""
    sys.stdout.write(json.dumps({"event": event, **values}) + "\n")
    sys.stdout.flush()
