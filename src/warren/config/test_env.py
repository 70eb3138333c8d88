from pathlib import Path

import pytest
from environs import EnvError

from warren.config.env import env


def test_it_reads_a_secret_from_its_file_when_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    monkeypatch.setenv("SOME_SECRET_FILE", str(secret))

    assert env.str("SOME_SECRET") == "from a file"


def test_it_names_the_variable_when_a_value_is_missing_or_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_NUMBER", "many")

    with pytest.raises(EnvError, match="SOME_NUMBER"):
        env.int("SOME_NUMBER")
    with pytest.raises(EnvError, match="NOT_THERE"):
        env.str("NOT_THERE")
