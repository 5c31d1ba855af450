"""The name that commands compiled with kfp 2.0.x start."""

from kfp._task import run_task

if __name__ == '__main__':
    run_task()
