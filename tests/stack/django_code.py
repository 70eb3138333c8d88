"""Runs code of Django's side of the stack in the web container, as a view or `make shell` would."""

import json
from typing import Any

from tests.stack.stack import Stack


def run(stack: Stack, code: str) -> Any:
    """Run the code by `manage.py shell`; what it assigns to `answer` comes back by way of JSON."""
    printing = f"import json\nanswer = None\n{code}\nprint(json.dumps(answer))"
    said = stack.execute("web", "python", "manage.py", "shell", "--no-imports", "--command", printing)
    return json.loads(said.splitlines()[-1])
