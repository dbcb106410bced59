"""Recover a hidden kernel: gradient descent finds the nine numbers that turned one small image into another.

A 6x6 image was filtered with a 3x3 kernel that nobody tells us; only the image and the 4x4 result are known. From
a kernel of zeros, each step compares our result with the true one and moves every weight against the gradient of
the mean squared difference. This is all that training a convolution is, small enough to watch every weight.

    python examples/recover_a_kernel.py            # a few seconds
    python examples/recover_a_kernel.py --smoke    # fewer steps, the same picture
"""

import argparse

import numpy as np

from tinycnn import Tensor, functional, nn, optim

LEARNING_RATE = 0.1  # share of the gradient that a step takes off the weights
HIDDEN = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]], np.float32)  # Sobel's kernel for vertical edges


def recover(image: np.ndarray, filtered: np.ndarray, steps: int) -> tuple[np.ndarray, list[float]]:
    """The kernel that gradient descent finds, and the mean squared difference at each step."""
    known, wanted = Tensor(image[None, None]), Tensor(filtered)
    kernel = nn.Parameter(np.zeros((1, 1, 3, 3), np.float32))
    optimizer = optim.SGD([kernel], lr=LEARNING_RATE)
    differences = []
    for step in range(steps):
        difference = functional.conv2d(known, kernel) - wanted
        loss = (difference * difference).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        differences.append(loss.item())
        if step in (0, 9) or (step + 1) % 100 == 0:
            print(f"step {step + 1:4d}   mean squared difference {differences[-1]:.2e}")
    return kernel.data[0, 0], differences


def main() -> None:
    """Hide a kernel, find it again, and show both."""
    parser = argparse.ArgumentParser(description="Recover a hidden kernel by gradient descent.")
    parser.add_argument("--smoke", action="store_true", help="fewer steps")
    steps = 300 if parser.parse_args().smoke else 1000
    image = np.random.default_rng(0).standard_normal((6, 6)).astype(np.float32)
    filtered = functional.conv2d(Tensor(image[None, None]), Tensor(HIDDEN[None, None])).data
    found, _ = recover(image, filtered, steps)
    with np.printoptions(precision=4, suppress=True, sign=" "):
        print(f"\nhidden kernel\n{HIDDEN}\n\nfound after {steps} steps\n{found}")
    print(f"\nlargest error of a weight: {np.abs(found - HIDDEN).max():.1e}")


if __name__ == "__main__":
    main()
