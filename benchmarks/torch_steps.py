"""The benchmarks' networks with torch's layers, and a step of their training; nothing of tinycnn is imported here."""

from collections.abc import Callable

import numpy as np
import torch

BLOCKS = 3  # of ResNet-20, at each size


def torch_lenet5() -> torch.nn.Sequential:
    """The same network, with torch's layers."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


class TorchBlock(torch.nn.Module):
    """The basic block with the paper's option A."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = torch.nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(channels)
        self.conv2 = torch.nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(channels)
        self.zeros = (channels - before) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Branch plus shortcut."""
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if self.zeros:
            x = torch.nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.zeros, self.zeros))
        return torch.relu_(y + x)


def torch_resnet20() -> torch.nn.Sequential:
    """The same network, with torch's layers."""
    nn = torch.nn
    layers: list[torch.nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(True)]
    before = 16
    for channels in (16, 32, 64):
        for position in range(BLOCKS):
            layers.append(TorchBlock(before, channels, 2 if position == 0 and channels > 16 else 1))
            before = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def torch_step(
    model: torch.nn.Module, x: np.ndarray, y: np.ndarray, *, lr: float, weight_decay: float = 0.0, channels_last: bool = False
) -> Callable[[], float]:
    """A closure that trains torch's network one step on the batch: SGD with a momentum of 0.9."""
    images, labels = torch.from_numpy(x), torch.from_numpy(y)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
