"""Views of the training images with a teacher's answers: a bank that is made once and used often.

A student learns most from a teacher who answers for what the student sees, over a long schedule
(Beyer et al. 2022). Teachers are many times its size, so each image is moved, and some pairs mixed
(Zhang et al. 2018), a number of times beforehand. What a dim room or a cheap camera does is added
to the student's view only: it learns to answer as the teacher does who sees the face well.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from .augment import MOVED, augment
from .device import BATCH

Answer = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Views:
    """Faces uint8 [V,N,1,H,W] and their targets float16 [V,N,K]: V views of N images."""

    faces: torch.Tensor
    targets: torch.Tensor

    def pick(
        self, rows: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One view of each of these images."""
        which = torch.randint(
            len(self.faces), (len(rows),), generator=generator, device=rows.device
        )
        return self.faces[which, rows].float(), self.targets[which, rows].float()


def mix(
    faces: torch.Tensor, others: torch.Tensor, share: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A `share` of the faces mixed with others; and what each is of its own, [N]."""
    count, device = len(faces), faces.device
    own = torch.rand(count, generator=generator, device=device)
    mixed = torch.rand(count, generator=generator, device=device) < share
    own = torch.where(mixed, own, 1.0)
    shares = own[:, None, None, None]
    return shares * faces + (1 - shares) * others, own


@torch.no_grad()
def make_views(
    images: torch.Tensor,
    shares: torch.Tensor,
    weights: torch.Tensor,
    answer: Answer,
    count: int,
    teacher_weight: float,
    mix_share: float,
    seed: int,
) -> Views:
    """So many views of images uint8 [N,1,H,W].

    `answer` gives a teacher's probabilities [B,K] for faces [B,1,H,W]. It has `teacher_weight` of
    each target; the votes' `shares` [N,K] have the rest, as far as the image's `weights` [N] count.
    """
    generator = torch.Generator(images.device)
    generator.manual_seed(seed)
    faces_of, targets_of = [], []
    for _ in range(count):
        other = torch.randperm(len(images), generator=generator, device=images.device)
        for start in range(0, len(images), 8 * BATCH):
            rows = torch.arange(start, min(start + 8 * BATCH, len(images)), device=images.device)
            pair = other[rows]
            both = torch.cat([images[rows], images[pair]]).float()
            moved, others = augment(both, MOVED, generator).chunk(2)
            faces, own = mix(moved, others, mix_share, generator)
            faces = faces.round().clamp(0, 255)
            own = own[:, None]
            said = own * shares[rows] + (1 - own) * shares[pair]
            trust = own * weights[rows, None] + (1 - own) * weights[pair, None]
            trust = (1 - teacher_weight) * trust
            faces_of.append(faces.to(torch.uint8))
            targets_of.append((trust * said + (1 - trust) * answer(faces)).half())
    size = (count, len(images))
    return Views(
        torch.cat(faces_of).view(*size, *images.shape[1:]),
        torch.cat(targets_of).view(*size, shares.shape[1]),
    )
