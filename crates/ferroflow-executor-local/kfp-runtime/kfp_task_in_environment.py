"""Starts one task in an environment with packages of its own; see `kfp_task.py`.

If kfp itself is among the packages, because the component or one of its packages asks for it, then that one runs.
"""

if __name__ == '__main__':
    import os
    import sys
    installed = '{}/lib/python{}.{}/site-packages/kfp/__init__.py'.format(sys.prefix, *sys.version_info[:2])
    if os.path.exists(installed):
        from real_kfp import run_task
    else:
        from kfp._task import run_task
    run_task()
