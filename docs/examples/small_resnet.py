"""ResNet-18 for small images: a 3 x 3 convolution first, no pooling after it, and one output."""

from torch import nn
from torchvision.models import resnet18

from repro.plugins import Parameters, model


class Stride(Parameters):
    """Of the first convolution: 2 halves the sides of all maps."""

    stride: int = 1


@model("small_resnet", parameters=Stride, paper="He et al. 2016")
def small_resnet(parameters):
    network = resnet18(num_classes=1)
    network.conv1 = nn.Conv2d(3, 64, 3, parameters.stride, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network
