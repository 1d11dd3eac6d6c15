"""Pictures: reading, cropping, naming and comparing them, for all sources."""
