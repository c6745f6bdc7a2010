"""Grad-CAM (Selvaraju et al. 2017) by autograd: what the exported `saliency` is held against."""

from typing import Protocol

import torch


class Explainable(Protocol):
    """A network in two parts: its last maps, and the logits from them."""

    def features(self, faces: torch.Tensor) -> torch.Tensor: ...

    def head(self, features: torch.Tensor) -> torch.Tensor: ...


def grad_cam(network: Explainable, faces: torch.Tensor) -> torch.Tensor:
    """Grad-CAM of every logit before its ReLU, times the maps' area: [N,K,h,w]."""
    features = network.features(faces).detach().requires_grad_()
    logits = network.head(features)
    area = features.shape[2] * features.shape[3]
    found = []
    for label in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, label].sum(), features, retain_graph=True)
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        found.append((weights * features).sum(dim=1) * area)
    return torch.stack(found, dim=1).detach()
