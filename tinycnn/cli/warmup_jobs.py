"""What `tinycnn warmup` compiles: each job calls public functions on small and on large arrays.

Both, since small work runs serial kernels and large work parallel ones.

`python -m tinycnn.cli.warmup_jobs [THREADS]` reads one job's name a line and answers with one line of JSON each.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def _floats(*shape: int) -> Any:
    import numpy as np

    from ..tensor import Tensor

    return Tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32), requires_grad=True)


def _backward(output: Any) -> None:
    """Run the gradients too."""
    output.sum().backward()


def _convolutions(*settings: dict[str, Any]) -> Callable[[], None]:
    def job() -> None:
        from .. import functional

        for setting in settings:
            options = dict(setting)
            kernel, groups = options.pop("kernel"), options.get("groups", 1)
            for batch, channels, size in ((1, 8, 9), (16, 32, 28)):
                weight = _floats(channels, channels // (channels if groups == "depthwise" else groups), kernel, kernel)
                real = {**options, "groups": channels if groups == "depthwise" else groups}
                _backward(functional.conv2d(_floats(batch, channels, size, size), weight, _floats(channels), **real))

    return job


def _pools() -> None:
    from .. import functional

    for batch, size in ((1, 8), (64, 28)):
        _backward(functional.max_pool2d(_floats(batch, 6, size, size), 2))
        _backward(functional.avg_pool2d(_floats(batch, 6, size, size), 2))
        _backward(functional.max_pool2d(_floats(batch, 6, size, size), 3, stride=2, padding=1))


def _activations() -> None:
    from .. import functional

    for count in (64, 500_000):
        for function in (functional.relu, functional.tanh, functional.sigmoid):
            _backward(function(_floats(count)))


def _linear_and_loss() -> None:
    import numpy as np

    from .. import functional
    from ..tensor import Tensor

    for batch, wide in ((2, 10), (256, 512)):
        output = functional.linear(_floats(batch, wide), _floats(10, wide), _floats(10))
        functional.cross_entropy(output, Tensor(np.zeros(batch, np.int64))).backward()


def _optimizers() -> None:
    from .. import nn, optim

    for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta"):
        for shape in ((4,), (400, 400)):
            parameter = nn.Parameter(_floats(*shape).data)
            optimizer = getattr(optim, name)([parameter], lr=0.01)
            for _ in range(2):
                optimizer.zero_grad()
                _backward(parameter * parameter)
                optimizer.step()


def _model(name: str) -> Callable[[], None]:
    def job() -> None:
        import numpy as np

        from .. import optim
        from ..autograd import no_grad
        from ..models import get_model
        from ..tensor import Tensor
        from ..train import loss_of

        for batch in (1, 64):
            model = get_model(name)
            images = Tensor(_floats(batch, 1, 28, 28).data)
            target = Tensor(np.zeros(batch, np.int64))
            optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
            loss_of(model)(model(images), target).backward()
            optimizer.step()
            with no_grad():
                model(images)

    return job


# The longest first, so that no process is left alone with one at the end.
JOBS: dict[str, Callable[[], None]] = {
    "lenet5": _model("lenet5"),
    "lenet5_1998": _model("lenet5_1998"),
    "convolution 3x3": _convolutions({"kernel": 3, "padding": 1}, {"kernel": 3, "stride": 2, "padding": 1}),
    "convolution 5x5, 7x7": _convolutions({"kernel": 5, "padding": 2}, {"kernel": 7, "stride": 2, "padding": 3}),
    "convolution 1x1": _convolutions({"kernel": 1}, {"kernel": 1, "stride": 2}),
    "convolution in groups": _convolutions({"kernel": 3, "groups": 4}, {"kernel": 3, "padding": 1, "groups": "depthwise"}),
    "convolution, dilated": _convolutions({"kernel": 3, "dilation": 2, "padding": 2}),
    "convolution with ReLU": _convolutions({"kernel": 3, "padding": 1, "activation": "relu"}),
    "pooling": _pools,
    "activations": _activations,
    "linear and loss": _linear_and_loss,
    "optimizers": _optimizers,
}


def main() -> None:
    """Answer each name on standard input with the seconds its job took, or with its error."""
    from ..kernels.threads import max_threads, set_num_threads

    if len(sys.argv) > 1:
        set_num_threads(min(int(sys.argv[1]), max_threads()))
    for line in sys.stdin:
        name = line.strip()
        start = time.perf_counter()
        try:
            JOBS[name]()
            answer: dict[str, Any] = {"job": name, "seconds": time.perf_counter() - start}
        except Exception as error:
            answer = {"job": name, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
