"""The benchmark's work as procrastinate tasks: asynchronous where they wait, as its documentation advises."""

import asyncio

import procrastinate

from benchmarks.setups.shared import jobs

POSTGRES = "host=postgres dbname=warren user=warren password=for-benchmarks-only"

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=POSTGRES))


@app.task(name="echo", queue="cpu")
async def echo(number: int) -> int:
    """Do nothing."""
    return jobs.echo(number)


@app.task(name="wait", queue="io")
async def wait(number: int, seconds: float) -> int:
    """Wait, as for a network."""
    await asyncio.sleep(seconds)
    return number


@app.task(name="spin", queue="cpu")
def spin(number: int, seconds: float) -> int:
    """Burn this much CPU time."""
    return jobs.spin(number, seconds)
