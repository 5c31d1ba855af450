"""The source of a task whose function runs in the process that is being debugged: hands over the input, waits for the end.

`_debug` adds the call. It comes before anything else of the task, and ends it.
"""

import json
import os
import socket
import sys


def executor_input() -> object:
    """What the task was started with: JSON, or the name of a file with it."""
    words = dict(zip(sys.argv[1:], sys.argv[2:]))
    if '--executor_input' in words:
        return json.loads(words['--executor_input'])
    with open(words['--executor_input_file'], encoding='utf-8') as file:
        return json.load(file)


def relay(address: str, label: str) -> None:
    """Lets the function of this label be called by the process that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(address)
        with connection.makefile('rw', encoding='utf-8') as stream:
            json.dump({'label': label, 'input': executor_input(), 'environment': dict(os.environ)}, stream)
            stream.write('\n')
            stream.flush()
            answer = json.loads(stream.readline() or '{"error": "the process that ran the function has ended"}')
    sys.exit(answer['error'])
