"""Hypothesis profiles, a seed for every test, and a process a core for a run of everything."""

import os
import signal

# Before OpenMP loads: processes that share the cores must sleep, not spin, while they wait.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import hypothesis
import pytest

import tinycnn

# A shell that runs the tests in the background lets them ignore Ctrl-C, which some of them press.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

MOST_PROCESSES = 4  # each takes up to 2 GB

hypothesis.settings.register_profile("few", max_examples=5, deadline=None, derandomize=True)
hypothesis.settings.register_profile("dev", max_examples=20, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
hypothesis.settings.register_profile("nightly", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run everything file by file in a process a core, where pytest-xdist is installed: most of the time goes into compiling kernels."""
    option = config.option
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if hasattr(config, "workerinput"):  # this process is one of them
        return
    if everything and config.pluginmanager.hasplugin("xdist") and option.numprocesses is None and not (option.usepdb or option.collectonly):
        option.numprocesses = min(os.cpu_count() or 1, MOST_PROCESSES)
        option.dist = "loadfile"


@pytest.fixture(autouse=True)
def seeded():
    """Each test starts from the same state of the package's generator."""
    tinycnn.manual_seed(0)
