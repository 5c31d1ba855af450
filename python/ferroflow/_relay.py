"""A task whose function runs in the process that is being debugged: hands over the input and waits for the end.

    _relay.py SOCKET LABEL EXECUTOR_INPUT
"""

import json
import os
import socket
import sys


def main() -> None:
    address, label, executor_input = sys.argv[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(address)
        with connection.makefile('rw', encoding='utf-8') as stream:
            json.dump({'label': label, 'input': json.loads(executor_input), 'environment': dict(os.environ)}, stream)
            stream.write('\n')
            stream.flush()
            answer = json.loads(stream.readline() or '{"error": "the process that ran the function has ended"}')
    if answer['error'] is not None:
        sys.exit(answer['error'])


main()
