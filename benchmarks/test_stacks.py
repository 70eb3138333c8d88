from benchmarks import stacks

RAW = """
process 1:"main";run (/opt/venv/lib/python3.13/site-packages/celery/loop.py:7);read (amqp.py:3) 30
process 1:"main";run (/opt/venv/lib/python3.13/site-packages/celery/loop.py:9) 10
process 1:"main";process 14:"child";work (task.py:1);work (task.py:1) 5
"""


def test_it_tells_processes_apart_when_children_were_sampled_too() -> None:
    main, child = stacks.read(RAW)

    assert (main.samples, child.samples) == (40, 5)
    assert child.process == 'process 14:"child"'


def test_it_counts_a_function_once_a_sample_when_it_calls_itself_or_has_several_lines() -> None:
    main, child = stacks.read(RAW)

    assert main.total["run (celery/loop.py)"] == 40
    assert main.own == {"read (amqp.py)": 30, "run (celery/loop.py)": 10}
    assert child.total["work (task.py)"] == 5
