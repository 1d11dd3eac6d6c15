import pytest
import torch

from repro.training import epoch_choice

TPR, TNR = [0.995, 0.970, 0.90, 0.93], [0.880, 0.900, 0.97, 0.925]


def validated(tpr, tnr, each=1000):
    """What a network with these recalls says of 1,000 faces and as many other images."""
    is_face = torch.arange(2 * each) < each
    hits, alarms = round(tpr * each), round((1 - tnr) * each)
    place = torch.arange(2 * each)
    return torch.where(is_face, place < hits, place < each + alarms), is_face


def chosen(value):
    """The epoch that is kept, from 1."""
    best, epoch = -1.0, 0
    for number, recalls in enumerate(zip(TPR, TNR, strict=True), start=1):
        found = value(*validated(*recalls))
        if epoch_choice.replaces(found, best):
            best, epoch = found, number
    return epoch, best


def test_accuracy_and_the_worst_class_choose_other_epochs():
    """The worked example: accuracy .9375 of epoch 1, recall .925 of epoch 4."""
    assert chosen(epoch_choice.accuracy) == (1, pytest.approx(0.9375))
    assert chosen(epoch_choice.worst_class_recall) == (4, pytest.approx(0.925))


def test_a_tie_goes_to_the_latest_epoch():
    """With few validation images ties are common."""
    assert epoch_choice.replaces(0.9, 0.9)


def test_the_worst_class_can_be_either():
    """Missed faces in one network, false alarms in the other."""
    misses = epoch_choice.worst_class_recall(*validated(0.6, 0.9))
    alarms = epoch_choice.worst_class_recall(*validated(0.9, 0.7))

    assert (misses, alarms) == (pytest.approx(0.6), pytest.approx(0.7))
