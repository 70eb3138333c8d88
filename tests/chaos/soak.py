"""Random faults for as long as one likes: `make soak minutes=30`. Not collected unless it is named."""

import random
import time

import pytest

from tests.chaos.faults.catalogue import FAULTS
from tests.chaos.ledger import Ledger
from tests.stack.stack import Stack

LONGEST_PAUSE_S = 20.0  # between two faults: some meet a stack that has recovered, some one that has not


def test_it_keeps_the_promise_whatever_befalls_it(ledger: Ledger, stack: Stack, pytestconfig: pytest.Config) -> None:
    minutes = pytestconfig.getoption("--minutes")
    seed = pytestconfig.getoption("--seed") or random.randrange(1_000_000)  # noqa: S311  not a secret
    dice = random.Random(seed)  # noqa: S311  not a secret
    ledger.tell(f"seed {seed}: the same again with make soak minutes={minutes} seed={seed}")
    end = time.monotonic() + minutes * 60

    def strike_until_the_end() -> None:
        while time.monotonic() < end:
            name = dice.choice(sorted(FAULTS))
            ledger.tell(f"{max(0, end - time.monotonic()):.0f} s left: {name}")
            FAULTS[name](stack)
            time.sleep(dice.uniform(0, LONGEST_PAUSE_S))

    ledger.under(f"soak, seed {seed}", strike_until_the_end, times=1, each_s=minutes * 60)
