"""Starting a stack so that one that does not start is told of, and is taken away all the same."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.stack.stack import FILES, CommandFailedError, Stack


@contextmanager
def stack(folder: Path, *, values: Mapping[str, str], files: Sequence[str] = FILES) -> Iterator[Stack]:
    """A new `Stack` that runs; taken away with its volumes after the block, and also when it does not start."""
    made = Stack(folder, values=values, files=files)
    try:
        start(made)
        yield made
    finally:
        made.remove()


def start(made: Stack) -> None:
    """Start a stack that somebody else takes away. Raises `CommandFailedError` with a note of what is unwell."""
    try:
        made.start()
    except CommandFailedError as exc:
        exc.add_note(made.describe_unwell())
        raise
