"""Starts one task: the file that the executor runs with the interpreter of the task.

Kept tiny because Python compiles the file that it is given anew each time, while imported modules come from
their bytecode. Running a file is also about 2 ms cheaper than `-m kfp.dsl.executor_main`, which does the same.
"""

if __name__ == '__main__':
    from kfp._task import run_task
    run_task()
