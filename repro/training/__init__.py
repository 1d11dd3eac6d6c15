"""One run: a configuration, a seed and images -> a trained network and its scores."""
