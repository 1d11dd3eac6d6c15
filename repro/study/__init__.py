"""A study file -> its arms, their configurations, and the published values to compare with."""
