"""ResNet-18 for small images: a 3 x 3 convolution first, no pooling after it, and one output."""

from torch import nn
from torchvision.models import resnet18

from repro.plugins import Parameters, model


class Stride(Parameters):
    """Of the first convolution: 2 halves the sides of all maps."""

    stride: int = 1


@model("small_resnet", parameters=Stride, paper="He et al. 2016")
def small_resnet(parameters):
    """The network, with new weights."""
    net = resnet18(num_classes=1)
    net.conv1, net.maxpool = nn.Conv2d(3, 64, 3, parameters.stride, 1, bias=False), nn.Identity()
    return net
