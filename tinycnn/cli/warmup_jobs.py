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


def _cases(family: str) -> Callable[[], None]:
    """What `tinycnn bench ops` times of a family, with all threads and with one."""

    def job() -> None:
        import numpy as np

        from .. import functional, ops
        from ..kernels.threads import get_num_threads, set_num_threads
        from ..tensor import Tensor
        from .bench_cases import CASES

        library = ops if family == "detection" else functional
        threads = get_num_threads()
        for case in CASES:
            if case.family != family:
                continue
            arrays = [argument.make(np.random.default_rng(0)) for argument in case.arguments]
            for count in {threads, 1}:
                set_num_threads(count)
                tensors = [Tensor(array) for array in arrays]
                case.run(library, *tensors)
                if case.parts != ("forward",):
                    for tensor, argument in zip(tensors, case.arguments, strict=True):
                        tensor.requires_grad_(argument.gradient)
                    _backward(case.run(library, *tensors))
            set_num_threads(threads)

    return job


def _small_pools() -> None:
    """Images so small that one thread pools them."""
    from .. import functional

    for pool in (functional.max_pool2d, functional.avg_pool2d):
        _backward(pool(_floats(1, 6, 8, 8), 2))
        _backward(pool(_floats(1, 6, 8, 8), 3, 2, 1))


def _volumes() -> None:
    """Three spatial axes."""
    from .. import functional

    _backward(functional.conv3d(_floats(2, 4, 6, 9, 9), _floats(8, 4, 3, 3, 3), _floats(8), padding=1))
    _backward(functional.conv_transpose3d(_floats(2, 4, 3, 5, 5), _floats(4, 8, 2, 2, 2), _floats(8), stride=2))
    _backward(functional.max_pool3d(_floats(2, 4, 6, 8, 8), 2))
    _backward(functional.avg_pool3d(_floats(2, 4, 6, 8, 8), 2))
    _backward(functional.interpolate(_floats(2, 4, 3, 4, 4), scale_factor=2, mode="trilinear"))


def _columns_and_padding() -> None:
    """unfold, fold, and every padding mode."""
    from .. import functional

    _backward(functional.fold(functional.unfold(_floats(4, 8, 14, 14), 3, padding=1), (14, 14), 3, padding=1))
    for mode in ("constant", "reflect", "replicate", "circular"):
        _backward(functional.pad(_floats(4, 8, 14, 14), (1, 2, 3, 1), mode))


def _regions() -> None:
    """The other ways to pool regions, and the deformable convolution."""
    import numpy as np

    from .. import ops
    from ..tensor import Tensor

    rois = Tensor(np.array([[0, 1, 1, 9, 9], [1, 0, 2, 12, 8]], np.float32))
    _backward(ops.roi_pool(_floats(2, 8, 14, 14), rois, 2))
    _backward(ops.ps_roi_align(_floats(2, 8, 14, 14), rois, 2))
    _backward(ops.ps_roi_pool(_floats(2, 8, 14, 14), rois, 2))
    _backward(ops.deform_conv2d(_floats(2, 4, 9, 9), _floats(2, 18, 9, 9), _floats(8, 4, 3, 3), padding=1, mask=_floats(2, 9, 9, 9)))


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
    "activations": _cases("activation"),
    "losses": _cases("loss"),
    "normalisation": _cases("normalisation"),
    "depthwise": _cases("depthwise"),
    "pooling": _cases("pooling"),
    "resizing": _cases("resizing"),
    "regions": _regions,
    "detection": _cases("detection"),
    "volumes": _volumes,
    "transposed": _cases("transposed"),
    "lenet5_1998": _model("lenet5_1998"),
    "columns and padding": _columns_and_padding,
    "pooling of small images": _small_pools,
    "convolution 3x3": _convolutions({"kernel": 3, "padding": 1}, {"kernel": 3, "stride": 2, "padding": 1}),
    "convolution 5x5, 7x7": _convolutions({"kernel": 5, "padding": 2}, {"kernel": 7, "stride": 2, "padding": 3}),
    "convolution 1x1": _convolutions({"kernel": 1}, {"kernel": 1, "stride": 2}),
    "convolution in groups": _convolutions({"kernel": 3, "groups": 4}, {"kernel": 3, "padding": 1, "groups": "depthwise"}),
    "convolution, dilated": _convolutions({"kernel": 3, "dilation": 2, "padding": 2}),
    "convolution with ReLU": _convolutions({"kernel": 3, "padding": 1, "activation": "relu"}),
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
