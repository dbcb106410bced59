"""`tinycnn warmup`: compile the float32 kernels now, in two processes, so that nothing waits for the compiler later."""

import argparse
import json
import queue
import subprocess
import sys
import threading
import time
from typing import Any

from ..errors import TinycnnError
from .common import Console, add_machine_options, use_threads
from .warmup_jobs import JOBS

DESCRIPTION = """\
Compile the float32 kernels into the user's cache folder. Never needed; useful before a lesson, a demonstration or a
timing."""
EPILOG = """\
examples:
  tinycnn warmup                     compile everything, two processes
  tinycnn warmup --processes 1       one after the other, where memory is short
  tinycnn warmup --only lenet5       one job; --list names them all
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--processes", type=int, choices=(1, 2, 3, 4), default=2, help="compilers at work at once (default: 2)")
    parser.add_argument("--only", metavar="JOB", action="append", help="this job only; may be given more than once")
    parser.add_argument("--list", action="store_true", help="name the jobs and stop")
    add_machine_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Share the jobs among the processes and show how far they are."""
    from ..errors import UsageError
    from .main import nearest

    console = Console(arguments.json)
    if arguments.list:
        console.say("\n".join(JOBS))
        console.result({"jobs": list(JOBS)})
        return 0
    use_threads(arguments.threads)
    for name in arguments.only or ():
        if name not in JOBS:
            raise UsageError(f"warmup has no job {name!r}{nearest(name, list(JOBS))}; --list names them")
    from ..kernels.jit import CACHE_FOLDER

    if CACHE_FOLDER is None:
        raise TinycnnError("the kernel cache cannot be written, so compiling now would be lost; `tinycnn doctor` says how to mend it")
    start = time.perf_counter()
    done = _compile(arguments.only or list(JOBS), arguments.processes, arguments.threads, console)
    seconds = time.perf_counter() - start
    console.say(f"{len(done)} jobs compiled in {seconds:.1f} s, cached in {CACHE_FOLDER}")
    console.result({"seconds": seconds, "jobs": done, "cache": str(CACHE_FOLDER)})
    return 0


def _compile(names: list[str], processes: int, threads: int | None, console: Console) -> dict[str, float]:
    """Run the jobs in worker processes that take the next name as they finish; the seconds of each."""
    waiting: queue.Queue[str] = queue.Queue()
    for name in names:
        waiting.put(name)
    reports: queue.Queue[dict[str, Any] | None] = queue.Queue()
    workers = [threading.Thread(target=_serve, args=(waiting, reports, threads), daemon=True) for _ in range(min(processes, len(names)))]
    for worker in workers:
        worker.start()
    done: dict[str, float] = {}
    finished = 0
    while finished < len(workers):
        report = reports.get()
        if report is None:
            finished += 1
        elif "error" in report:
            raise TinycnnError(f"warmup: {report['job']} failed: {report['error']}")
        else:
            done[report["job"]] = report["seconds"]
            console.say(f"[{len(done):>2}/{len(names)}] {report['job']:<28} {report['seconds']:6.1f} s")
    return done


def _serve(waiting: "queue.Queue[str]", reports: "queue.Queue[dict[str, Any] | None]", threads: int | None) -> None:
    """Feed one fresh interpreter job by job; a fork instead, after OpenMP has started, would kill the child."""
    command = [sys.executable, "-m", "tinycnn.cli.warmup_jobs", *([str(threads)] if threads else [])]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if worker.stdin is None or worker.stdout is None:
        return  # never: both are pipes
    try:
        while True:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                worker.stdin.write(name + "\n")
                worker.stdin.flush()
                answer = worker.stdout.readline()
            except OSError:
                answer = ""
            if not answer:
                reports.put({"job": name, "error": "its process ended; --processes 1 needs less memory"})
                return
            reports.put(json.loads(answer))
    finally:
        worker.stdin.close()
        worker.wait()
        worker.stdout.close()
        reports.put(None)
