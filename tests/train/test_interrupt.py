"""Signals: the first one leaves a note, the second one acts."""

import signal
import threading

import pytest

from tinycnn.train.interrupt import finish_the_step


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_only_leaves_a_note(number, code):
    with finish_the_step() as interruption:
        assert (interruption.name, interruption.exit_code) == ("", 0)
        signal.raise_signal(number)
        assert (interruption.name, interruption.exit_code) == (number.name, code)


def test_the_second_one_acts_as_always():
    with pytest.raises(KeyboardInterrupt), finish_the_step():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)


def test_the_former_handlers_come_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with finish_the_step():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_another_thread_is_left_alone():
    seen = []

    def work():
        with finish_the_step() as interruption:
            seen.append((interruption.exit_code, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0, signal.default_int_handler)]
