"""Detectors that were trained elsewhere: given, loaded, and run on the pictures of a study."""
