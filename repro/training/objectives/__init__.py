"""What a network minimises instead of the plain mean of its losses: rivals of resampling."""
