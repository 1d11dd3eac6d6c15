"""Records -> estimates of arms, differences between arms, verdicts. Does not import torch."""
