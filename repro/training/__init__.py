"""One run: a configuration, a seed and images -> a fitted network and its scores."""
