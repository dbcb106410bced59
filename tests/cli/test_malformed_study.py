"""explain, shape, solve and conventions on input that is none: one sentence, exit code 1 or 2, and soon."""

import signal

import numpy as np
import pytest

SECONDS = 40
HUGE = "9" * 30
LINES = """
explain nosuch
explain conv2d stride=0
explain conv2d stride=(1,2,3)
explain conv2d padding=1e99
explain conv2d dilation=99999999999
explain conv2d weight=none
explain conv2d weight=[[[[
explain conv2d weight=heavy
explain conv2d bias=word
explain cat tensors=word
explain conv2d input=True
explain stack 1 (2
explain linear weight={}
explain add other=word
explain where condition=word
explain batch_norm running_mean=word
explain gather index=word
explain sum dim=word
explain permute dims=word
explain reshape shape=word
explain split split_size_or_sections=word
explain dropout p=word
explain softmax dim=1.5
explain mean dim=(0,0)
explain pad pad=(1,)
explain pad mode=word
explain norm p=word
explain cross_entropy weight=1,2
explain multi_head_attention_forward num_heads=0
explain conv2d 1,2,3;4,5,6 1,2;3,4|5,6;7,8
explain relu 1+2j
explain relu 1/0
explain relu wide.npy
explain relu input=wide.npy
explain relu --grad wide.npy 1
explain conv2d weight=wide.npy
explain relu 1 --seed -1
explain relu 1 --elements 0
explain one_hot num_classes=1000000000
explain bincount 1000000000
explain expand 1 size=(10000,10000)
explain repeat 1 repeats=(100000,)
explain adaptive_avg_pool2d output_size=9999
explain interpolate scale_factor=1e9
explain interpolate scale_factor=nan
explain roi_align sampling_ratio=100000000
explain nms 0,0,1 1
explain einsum equation=ij,jk->zz
explain fractional_max_pool2d output_size=5000
explain embedding 99
shape
shape nosuch
shape conv2d --in HUGE --k 3
shape conv2d --in 0 --k 3
shape conv2d --in 7x --k 3
shape conv2d --in 7.5 --k 3
shape conv2d --in 1x2x3x4x5x6 --k 3
shape conv2d --in 7 --k 3 --s 0
shape conv2d --in 7 --k 3 --p 1,2,3
shape adaptive_avg_pool2d --in 7 --output-size 100000
shape interpolate --in 7 --scale inf
shape pixel_shuffle --in 7
shape fold --in 4x5
shape |
shape conv|foo --in 3x8x8
shape lenet5 --in 3x2000x2000
solve
solve foo
solve conv
solve conv --in x --out 3
solve conv --in 5-1 --out 3
solve conv --in HUGE --out 3
solve conv --in 1-100000 --out 16 --k any --s any --p any
solve conv --in any --out 3 --k 3 --s 2000000000
solve same --k any
solve invert --in 2 --k 3
conventions nosuch
conventions ceil --html /no/such/folder/x.html
""".strip().splitlines()


@pytest.fixture
def soon():
    """An alarm that ends a test which hangs."""
    previous = signal.signal(signal.SIGALRM, lambda *_: pytest.fail(f"took more than {SECONDS} seconds", pytrace=False))
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarms there")
@pytest.mark.parametrize("line", LINES)
def test_one_sentence_and_soon(run_main, elsewhere, soon, line):
    if "wide.npy" in line:
        np.lib.format.open_memmap("wide.npy", "w+", np.float64, (10000, 10000))  # a file of holes
    code, _, error = run_main(*line.replace("HUGE", HUGE).split())
    assert code in (1, 2)
    assert len(error) < 1500


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarms there")
def test_an_array_of_a_million_numbers_on_one_line(run_main, soon):
    code, _, error = run_main("explain", "relu", "0 " * 1_000_000)
    assert code == 2 and "2,000,000 characters is more than anybody reads" in error
