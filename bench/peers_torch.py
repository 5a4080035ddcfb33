"""The same work in torch: its optimizers as everybody runs them, eager, gradients by its autograd, in double precision."""
from __future__ import annotations

from typing import Callable

import numpy as np
import torch

torch.set_num_threads(1)


def optimizer(name: str, steps: int) -> Callable[[], np.ndarray]:
    """Steps of a torch optimizer on Rosenbrock's function."""
    def run() -> np.ndarray:
        z = torch.tensor([-1.2, 1.], dtype=torch.float64, requires_grad=True)
        rule = torch.optim.Adam([z], lr=1e-3, betas=(.9, .999), eps=1e-8) if name == "adam" else torch.optim.SGD([z], lr=1e-4, momentum=.9)
        for _ in range(steps):
            rule.zero_grad()
            ((1 - z[0])**2 + 100*(z[1] - z[0]**2)**2).backward()
            rule.step()
        return z.detach().numpy()
    return run


def heavy_ball(X: np.ndarray, steps: int) -> Callable[[], np.ndarray]:
    """Heavy ball on Rosenbrock's function from many starts at once, whole tensors at a time."""
    def run() -> np.ndarray:
        x, y = (torch.from_numpy(X[:, i].copy()) for i in (0, 1))
        p, q = torch.zeros_like(x), torch.zeros_like(x)
        for _ in range(steps):
            u = y - x*x
            p, q = .9*p + 1e-3*(-2*(1 - x) - 400*(x*u)), .9*q + 1e-3*(200*u)
            x, y = x - p, y - q
        return torch.stack([x, y], 1).numpy()
    return run
