"""Real worker processes without their 4 s of imports: a process that has everything ready forks them on request.

    python nursery.py        one request a line on standard input, one answer a line on standard output
      fork HOME EVERY STALE  → the pid of a worker that trains what is queued in HOME, then leaves
      wait PID               → how it ended: its exit code, or minus the signal

Tests use the class; the script is what it starts.
"""

import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path


class Nursery:
    def __init__(self) -> None:
        root = Path(__file__).resolve().parents[2]
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)},
        )
        assert self._read() == "ready"
        self.children: set[int] = set()

    def fork(self, home: Path, every: float = 2.0, stale: float = 20.0) -> int:
        pid = int(self._ask(f"fork {home} {every} {stale}"))
        self.children.add(pid)
        return pid

    def wait(self, pid: int) -> int:
        self.children.discard(pid)
        return int(self._ask(f"wait {pid}"))

    def kill(self, pid: int) -> int:
        os.kill(pid, signal.SIGKILL)
        return self.wait(pid)

    def close(self) -> None:
        for pid in self.children:  # of a test that failed
            os.kill(pid, signal.SIGKILL)
        self.process.communicate()

    def _ask(self, request: str) -> str:
        assert self.process.stdin is not None
        print(request, file=self.process.stdin, flush=True)
        return self._read()

    def _read(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def main() -> None:
    import torch

    torch.set_num_threads(1)
    from shlpt.backbone.t5 import load
    from shlpt.work import worker

    model = load("pocket", "cpu")
    worker.load = lambda *_: model
    print("ready", flush=True)
    for line in sys.stdin:
        act, *rest = line.split()
        if act == "wait":
            print(os.waitstatus_to_exitcode(os.waitpid(int(rest[0]), 0)[1]), flush=True)
            continue
        pid = os.fork()
        if not pid:
            be_a_worker(rest[0], float(rest[1]), float(rest[2]))
        print(pid, flush=True)


def be_a_worker(home: str, every: float, stale: float) -> None:
    from shlpt.store import liveness
    from shlpt.store.store import Store
    from shlpt.work import worker

    os.close(0)
    os.dup2(2, 1)  # answers are the parent's
    liveness.Observer.__init__.__defaults__ = (stale,)
    worker.leave_on_signal()
    code = 1
    try:
        worker.work(Store(home).open(), device="cpu", idle_seconds=stale if stale < 20 else 1.0, every=every)
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
