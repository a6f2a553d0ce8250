"""Runs a command that ends with the process that started this one, also where that is killed: `guard.py COMMAND …`.

Standard input is a pipe whose other end only the starting process holds: the system closes it when that process ends,
however it ends. PR_SET_PDEATHSIG would need no process in between, but only Linux has it, and it isn't inherited.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from threading import Thread

# How long the command may take to end in order; then its whole process group is killed.
SECONDS_TO_END = 5


def main(command: list[str]) -> int:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: child.terminate())
    Thread(target=end_with_starter, args=(child,), daemon=True).start()
    status = child.wait()
    kill_group(child)  # what the command has left running
    return status


def end_with_starter(child: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1):
        pass
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(SECONDS_TO_END)
    kill_group(child)


def kill_group(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses where only zombies are left
        os.killpg(child.pid, signal.SIGKILL)


if __name__ == "__main__":
    status = main(sys.argv[1:])
    os._exit(status if status >= 0 else 128 - status)  # not waiting for the thread, which may hold the lock of stdin
