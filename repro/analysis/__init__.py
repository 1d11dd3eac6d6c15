"""Records -> judgements: estimates of arms, differences between arms, verdicts. Never torch."""
