"""Drawn people: small pictures of a pattern each, shifted, brightened and noisy."""

import numpy as np

from tinycnn.data import ArrayDataset

SIZE = 16


def draw_people(count=6, pictures=6, seed=0):
    """People called p0, p1 ... of grey 16x16 pictures."""
    generator = np.random.default_rng(seed)
    images, labels = [], []
    for label in range(count):
        pattern = np.kron(generator.random((4, 4)), np.ones((SIZE // 4, SIZE // 4)))
        for _ in range(pictures):
            shifted = np.roll(pattern, generator.integers(-1, 2, 2), (0, 1))
            noisy = 0.6 * shifted + 0.25 * generator.random((SIZE, SIZE)) + 0.15 * generator.random()
            images.append((255 * noisy).astype(np.uint8))
            labels.append(label)
    return ArrayDataset(np.stack(images), labels, classes=[f"p{label}" for label in range(count)])
