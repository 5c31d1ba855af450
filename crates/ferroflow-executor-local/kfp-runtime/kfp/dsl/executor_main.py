"""The name under which commands start a task: `python3 -m kfp.dsl.executor_main`; see `kfp._task`."""

from kfp._task import run_task

if __name__ == '__main__':
    run_task()
