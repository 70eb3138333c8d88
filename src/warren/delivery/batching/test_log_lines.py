import io
import logging
from collections.abc import Callable, Iterator

import pytest

from warren.delivery.batching import log_lines


class Pipe(io.StringIO):
    """Notes each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str, /) -> int:
        self.writes.append(text)
        return len(text)


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()


type Log = Callable[..., None]


@pytest.fixture
def log(pipe: Pipe) -> Iterator[Log]:
    handler = log_lines.Handler(pipe)

    def emit(text: str, *, name: str = log_lines.SUCCESSES, level: int = logging.INFO) -> None:
        handler.handle(logging.LogRecord(name, level, "", 0, text, (), None))

    yield emit
    log_lines._handlers.remove(handler)


def test_it_writes_successes_at_once_when_there_is_no_batch(log: Log, pipe: Pipe) -> None:
    log("one")

    assert pipe.writes == ["one\n"]


def test_it_writes_successes_together_when_their_batch_ends(log: Log, pipe: Pipe) -> None:
    with log_lines.of_successes_together():
        log("one")
        log("two")
        before = list(pipe.writes)

    assert before == []
    assert pipe.writes == ["one\ntwo\n"]


@pytest.mark.parametrize(
    ("name", "level"), [("apps.mail", logging.INFO), (log_lines.SUCCESSES, logging.ERROR), ("root", logging.CRITICAL)]
)
def test_it_writes_any_other_line_at_once_and_in_its_place(log: Log, pipe: Pipe, name: str, level: int) -> None:
    with log_lines.of_successes_together():
        log("one")
        log("other", name=name, level=level)

        assert pipe.writes == ["one\n", "other\n"]


def test_it_writes_no_more_than_a_pipe_takes_whole(log: Log, pipe: Pipe) -> None:
    with log_lines.of_successes_together():
        for _ in range(100):
            log("ä" * 60)

    assert len(pipe.writes) > 1
    assert all(len(text.encode()) <= log_lines.WHOLE_BYTES and text.endswith("\n") for text in pipe.writes)
    assert "".join(pipe.writes).count("\n") == 100


def test_it_raises_nothing_when_a_line_cannot_be_encoded_or_written(
    log: Log, pipe: Pipe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(_text: str) -> None:
        raise BrokenPipeError("gone")

    monkeypatch.setattr(pipe, "write", write)

    with log_lines.of_successes_together():
        log("a file's name: \udcff")
        log("other", name="apps.mail")

    assert "BrokenPipeError" in capsys.readouterr().err


def test_it_writes_what_waits_when_the_batch_ends_with_an_error(log: Log, pipe: Pipe) -> None:
    def fail() -> None:
        with log_lines.of_successes_together():
            log("one")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()

    assert pipe.writes == ["one\n"]
