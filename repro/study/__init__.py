"""What to run: a study file -> its arms, their choices, and the published values beside them."""
