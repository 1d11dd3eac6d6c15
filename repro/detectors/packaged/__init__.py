"""Face detectors that people use, from packages that bring their weights: the extra `detectors`."""
