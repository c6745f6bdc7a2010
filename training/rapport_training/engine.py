"""Steps of training: SGD with Nesterov momentum on weights that lie in one piece.

In one piece, a step of the optimizer is four operations whatever the network. On a GPU the way
forward and back is recorded once and replayed (a CUDA graph), so that small networks do not wait
for Python. With `sharpness`, a step looks at the gradient a little uphill (Foret et al. 2021, SAM).
"""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import nn
from torch.nn import functional

from .device import mixed_precision

MOMENTUM = 0.9
# Runs before recording, so that libraries have chosen their ways.
WARM_UP_RUNS = 3

# Faces [N,1,H,W], targets [N,K] and weights [N], and what else the network's loss needs.
Batch = tuple[torch.Tensor, ...]
Loss = Callable[[nn.Module, Batch], torch.Tensor]


def weighted_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """The mean over the images, each counting by its weight [N]."""
    losses = functional.cross_entropy(logits.float(), targets, reduction="none")
    return (losses * weights).sum() / len(weights)


def decays(network: nn.Module) -> list[tuple[nn.Parameter, bool]]:
    """What is trained, and whether it decays: norms, biases and filters of one channel do not."""
    found = []
    for module in network.modules():
        single = isinstance(module, nn.Conv2d) and module.groups > 1
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad:
                found.append((parameter, parameter.ndim > 1 and not single))
    return found


def _same_layout(flat: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """A view of `flat` with the shape of `like`, filters with their channels last."""
    if like.ndim != 4:
        return flat.view(like.shape)
    outputs, inputs, height, width = like.shape
    return flat.view(outputs, height, width, inputs).permute(0, 3, 1, 2)


def _fastest_ways() -> AbstractContextManager:
    # Every flag must be named: what is left out is turned off, cuDNN itself too.
    return torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=True)


class Engine:
    """Trains a network in place, and keeps the average of its weights."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        weight_decay: float,
        sharpness: float = 0.0,
    ) -> None:
        self.averaged = copy.deepcopy(network)
        self.network, self._loss, self._sharpness = network, loss, sharpness
        trained, goals = decays(network), decays(self.averaged)
        sizes = [parameter.numel() for parameter, _ in trained]
        flat = torch.zeros(5, sum(sizes), device=trained[0][0].device)
        self._weights, self._gradients, self.momentum, self._decay, self._average = flat
        for index, ((parameter, decay), (goal, _)) in enumerate(zip(trained, goals, strict=True)):
            weights, gradient, amount, average = (
                _same_layout(whole.split(sizes)[index], parameter)
                for whole in (self._weights, self._gradients, self._decay, self._average)
            )
            amount.fill_(weight_decay if decay else 0.0)
            for own, view in ((parameter, weights), (goal, average)):
                view.copy_(own.detach())
                own.data = view
            parameter.grad = gradient
        # What norms know of their inputs.
        self._statistics, self._averaged_statistics = (
            [buffer for buffer in one.buffers() if buffer.is_floating_point()]
            for one in (network, self.averaged)
        )
        self._recorded: dict[tuple[torch.Size, ...], tuple[Batch, torch.Tensor, object]] = {}

    def _forward_and_back(self, batch: Batch) -> torch.Tensor:
        self._gradients.zero_()
        # Casts are not kept: a recording could not renew them.
        device = self._weights.device
        with mixed_precision(device, cache=device.type == "cpu"):
            loss = self._loss(self.network, batch)
        loss.backward()
        return loss.detach()

    def _recording(self, batch: Batch) -> tuple[Batch, torch.Tensor, object]:
        key = tuple(part.shape for part in batch)
        if key not in self._recorded:
            fixed = tuple(part.clone(memory_format=torch.preserve_format) for part in batch)
            kept = [b.clone() for b in self._statistics]
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream), _fastest_ways():
                for _ in range(WARM_UP_RUNS):
                    self._forward_and_back(fixed)
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph), _fastest_ways():
                loss = self._forward_and_back(fixed)
            torch._foreach_copy_(self._statistics, kept)
            self._recorded[key] = fixed, loss, graph
        return self._recorded[key]

    def _gradient(self, batch: Batch) -> torch.Tensor:
        """Leaves the gradient at `batch` in `_gradients`; returns the loss."""
        if self._weights.device.type != "cuda":
            return self._forward_and_back(batch)
        fixed, loss, graph = self._recording(batch)
        for goal, source in zip(fixed, batch, strict=True):
            goal.copy_(source)
        graph.replay()
        return loss.clone()

    @torch.no_grad()
    def step(self, batch: Batch, rate: float, average_decay: float) -> torch.Tensor:
        """One step down; returns the loss before it."""
        with torch.enable_grad():
            loss = self._gradient(batch)
        if self._sharpness:
            uphill = self._gradients * (self._sharpness / (self._gradients.norm() + 1e-12))
            statistics = [b.clone() for b in self._statistics]
            self._weights.add_(uphill)
            with torch.enable_grad():
                self._gradient(batch)
            self._weights.sub_(uphill)
            # Those of the weights uphill are nobody's.
            torch._foreach_copy_(self._statistics, statistics)
        self._gradients.addcmul_(self._weights, self._decay)
        self.momentum.mul_(MOMENTUM).add_(self._gradients)
        self._gradients.add_(self.momentum, alpha=MOMENTUM)
        self._weights.sub_(self._gradients, alpha=rate)
        self._average.lerp_(self._weights, 1 - average_decay)
        torch._foreach_lerp_(self._averaged_statistics, self._statistics, 1 - average_decay)
        return loss
