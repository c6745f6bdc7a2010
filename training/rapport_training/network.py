"""A small network for 48x48 grey faces, with class evidence maps.

A stem, then stages of residual blocks (He et al. 2016) or of depthwise separable ones (Howard et
al. 2017, MobileNet), global average pooling and one linear layer. With that head, Grad-CAM
(Selvaraju et al. 2017) needs no gradient: the class weights applied to the last feature maps are
Grad-CAM's sum, times the map's area.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from .labels import LABELS, VOTE_COLUMNS

# Added to the variance, in grey levels squared: a blank image stays blank. No more than that, so
# that a face in a tenth of the light, with a deviation of six levels, is brought to full contrast.
VARIANCE_FLOOR = 4.0


@dataclass(frozen=True)
class NetworkShape:
    """Widths, blocks and strides of the stages after the stem, and the stem's own stride."""

    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (1, 2, 2, 2)
    strides: tuple[int, ...] = (1, 2, 2, 1)
    stem_stride: int = 2
    # 3x3 max-pooling of stride 2 after the stem.
    stem_pool: bool = False
    # MobileNet's blocks and stem instead of a ResNet's.
    separable: bool = False
    # The stem and so many blocks keep the weights that `pretrained` brought.
    frozen_blocks: int = 0

    @property
    def float_convolutions(self) -> int:
        """So many convolutions from the stem on stay in float32 where the rest is int8.

        The stem of a MobileNet does, and what is frozen: their channels differ too much in range
        for the one scale that int8 gives all of them.
        """
        return 1 + 2 * self.frozen_blocks if self.separable else 0


# All end in 6x6 maps, but for teachers. What each costs: `python -m rapport_training.cost`.
SHAPES = {
    "small": NetworkShape(),
    "medium": NetworkShape((32, 64, 128, 256), (1, 2, 3, 2)),
    "wide": NetworkShape((64, 128, 192, 256), (1, 2, 2, 1)),
    # The stages of dlib's face recognition network, whose weights `pretrained` can bring.
    "face": NetworkShape((32, 64, 128, 256), (2, 3, 3, 1), (1, 2, 2, 1), 1, stem_pool=True),
    # MobileNet but for its last block, and its last stage at stride 1; likewise to begin from.
    "mobile": NetworkShape(
        (64, 128, 256, 512, 1024),
        (1, 2, 2, 6, 1),
        (1, 2, 2, 2, 1),
        stem_stride=1,
        separable=True,
        frozen_blocks=2,
    ),
    # The same with nothing frozen, and without two of the five equal blocks of 512 channels.
    "mobile-free": NetworkShape(
        (64, 128, 256, 512, 1024), (1, 2, 2, 6, 1), (1, 2, 2, 2, 1), stem_stride=1, separable=True
    ),
    "mobile-short": NetworkShape(
        (64, 128, 256, 512, 1024), (1, 2, 2, 4, 1), (1, 2, 2, 2, 1), stem_stride=1, separable=True
    ),
    # For teachers: a ResNet-18 that keeps full resolution in its first stage; and both sources
    # whole, at their own scale, for faces enlarged to 128 px or more.
    "teacher": NetworkShape((64, 128, 256, 512), (2, 2, 2, 2), (1, 2, 2, 2), stem_stride=1),
    "mobile-teacher": NetworkShape(
        (64, 128, 256, 512, 1024), (1, 2, 2, 6, 2), (1, 2, 2, 2, 2), separable=True
    ),
    "face-teacher": NetworkShape((32, 64, 128, 256), (3, 4, 3, 3), (1, 2, 2, 2), stem_pool=True),
}
TEACHER_SHAPES = ("teacher", "mobile-teacher", "face-teacher")


def standardise(faces: torch.Tensor) -> torch.Tensor:
    """Grey [N,1,H,W] to zero mean, unit deviation per image: light and contrast drop out."""
    centred = faces - faces.mean(dim=(2, 3), keepdim=True)
    variance = (centred * centred).mean(dim=(2, 3), keepdim=True)
    return centred / torch.sqrt(variance + VARIANCE_FLOOR)


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut."""

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = None
        if stride != 1 or width_in != width:
            self.shortcut = nn.Conv2d(width_in, width, 1, stride, bias=False)
            self.shortcut_norm = nn.BatchNorm2d(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return functional.relu(
            y + (x if self.shortcut is None else self.shortcut_norm(self.shortcut(x)))
        )


def _rounded(values: torch.Tensor, step: torch.Tensor | float) -> torch.Tensor:
    """To multiples of `step`; the gradient passes as if nothing had been rounded."""
    return values + (torch.round(values / step) * step - values).detach()


def as_int8(filters: torch.Tensor) -> torch.Tensor:
    """Filters as `quantise` rounds them, to 64 steps on either side of zero for each channel.

    The norm that is folded into them scales a channel and its steps alike.
    """
    largest = filters.detach().abs().amax(dim=(1, 2, 3), keepdim=True)
    return _rounded(filters, largest.clamp_min(1e-12) / 64)


class SeparableBlock(nn.Module):
    """A 3x3 convolution of each channel alone, then one of 1x1 over all channels."""

    shortcut = None
    # Whether training rounds filters and maps as int8 does (Jacob et al. 2018).
    rounds = False

    def __init__(self, width_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width_in, 3, stride, 1, groups=width_in, bias=False)
        self.norm1 = nn.BatchNorm2d(width_in)
        self.conv2 = nn.Conv2d(width_in, width, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def _layer(self, x: torch.Tensor, conv: nn.Conv2d, norm: nn.Module) -> torch.Tensor:
        if not self.rounds:
            return functional.relu6(norm(conv(x)), inplace=True)
        # Calibration by least and greatest: 255 steps from 0 to the greatest value.
        x = _rounded(x, x.detach().amax().clamp_min(1e-12) / 255)
        x = functional.conv2d(
            x, as_int8(conv.weight), None, conv.stride, conv.padding, 1, conv.groups
        )
        return functional.relu6(norm(x), inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._layer(self._layer(x, self.conv1, self.norm1), self.conv2, self.norm2)


class EmotionNetwork(nn.Module):
    """Grey faces [N,1,H,W] in 0..255 to logits [N,K], one for each label of the run."""

    def __init__(self, shape: NetworkShape | None = None, classes: int = len(LABELS)) -> None:
        super().__init__()
        self.shape = shape = shape or NetworkShape()
        self.activation = functional.relu6 if shape.separable else functional.relu
        width, side = (shape.widths[0] // 2, 3) if shape.separable else (shape.widths[0], 5)
        if shape.stem_pool and shape.stem_stride == 2:
            side = 7
        self.stem = nn.Conv2d(1, width, side, shape.stem_stride, side // 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(3, 2, 1) if shape.stem_pool else nn.Identity()
        blocks, block = [], SeparableBlock if shape.separable else Block
        for stage_width, count, stride in zip(
            shape.widths, shape.blocks, shape.strides, strict=True
        ):
            for index in range(count):
                blocks.append(block(width, stage_width, stride if index == 0 else 1))
                width = stage_width
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(width, classes)
        # Predicts the taggers' votes. It shapes the features in training, then is dropped.
        self.votes_head = nn.Linear(width, len(VOTE_COLUMNS))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if not shape.separable:
            for residual in blocks:  # every block starts as its shortcut (Goyal et al. 2017)
                nn.init.zeros_(residual.norm2.weight)
        for module in self._frozen():
            module.requires_grad_(False)

    def round_as_int8(self) -> None:
        """From now on, training rounds in all blocks that are not frozen. MobileNet's only."""
        for block in self.blocks[self.shape.frozen_blocks :]:
            block.rounds = True

    def _frozen(self) -> list[nn.Module]:
        count = self.shape.frozen_blocks
        return [self.stem, self.stem_norm, *self.blocks[:count]] if count else []

    def train(self, mode: bool = True) -> "EmotionNetwork":
        """Norms of what is frozen go on with the statistics that they have."""
        super().train(mode)
        for module in self._frozen():
            module.eval()
        return self

    def features(self, faces: torch.Tensor) -> torch.Tensor:
        """The last feature maps [N,C,h,w], all >= 0."""
        x = self.activation(self.stem_norm(self.stem(standardise(faces))))
        return self.blocks(self.pool(x))

    def head(self, features: torch.Tensor) -> torch.Tensor:
        """Logits [N,K] from the last feature maps."""
        return self.classifier(features.mean(dim=(2, 3)))

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(faces))

    def forward_with_votes(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [N,K] and vote logits [N,10]."""
        pooled = self.features(faces).mean(dim=(2, 3))
        return self.classifier(pooled), self.votes_head(pooled)

    def saliency(self, features: torch.Tensor) -> torch.Tensor:
        """Class evidence maps [N,K,h,w]; their mean over h,w plus the bias is the logit."""
        return functional.conv2d(features, self.classifier.weight[:, :, None, None])
