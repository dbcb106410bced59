"""`tinycnn train --live`: the options, the address it prints, and how Ctrl-C leaves the port; `tinycnn health`."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUICK = ("--epochs", "1", "--batch-size", "20", "--lr", "0.02", "--no-pictures")


def test_a_live_run_prints_its_address(run_main, elsewhere, tiny_mnist):
    code, output, _ = run_main("train", "lenet5", "--data", tiny_mnist, *QUICK, "--live", "--port", "0")
    assert code == 0 and re.search(r"live page: http://127\.0\.0\.1:\d+/[\w-]{32}/\n", output)
    assert "test accuracy" in output


def test_options_need_live_and_a_free_port(run_main, elsewhere, tiny_mnist):
    for option in (("--port", "9000"), ("--open",), ("--hold",), ("--paused",)):
        code, _, error = run_main("train", "lenet5", "--data", tiny_mnist, *QUICK, *option)
        assert code == 2 and f"{option[0]} goes with --live" in error
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, error = run_main("train", "lenet5", "--data", tiny_mnist, *QUICK, "--live", "--port", port)
    assert code == 2 and f"port {port} is in use by another program" in error
    assert run_main("train", "lenet5", "--live", "--port", "eighty")[0] == 2
    assert run_main("train", "lenet5", "--data", tiny_mnist, *QUICK, "--live", "--port", "99999")[0] == 2


def test_ctrl_c_saves_and_frees_the_port(elsewhere, tiny_mnist):
    command = [sys.executable, "-m", "tinycnn", "train", "lenet5", "--data", str(tiny_mnist), *QUICK, "--live", "--paused"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=elsewhere, env=_environment()) as process:
        assert process.stdout is not None
        url = next(line for line in process.stdout if line.startswith("live page: ")).split()[-1]
        while b'"paused"' not in urllib.request.urlopen(url + "state").read():
            pass
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume" in error and "Traceback" not in error
    port = int(url.split(":")[2].split("/")[0])
    with socket.create_server(("127.0.0.1", port)):
        pass


def _environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}


def test_health_of_a_run(run_main, trained_run):
    code, output, _ = run_main("health", trained_run)
    assert code == 0 and "lenet5 from" in output and "conv1" in output and "    why: " in output
    code, output, error = run_main("health", trained_run, "--json", "--lr", "50", "--batch-size", "10")
    told = json.loads(output)
    assert code == 0 and told["images"] == 10 and "    why: " in error
    assert "updates" in {finding["kind"] for finding in told["findings"] if finding["level"] == "watch"}
    assert run_main("health", "no-such-run")[0] == 2
    assert run_main("health", trained_run, "--lr", "fast")[0] == 2
