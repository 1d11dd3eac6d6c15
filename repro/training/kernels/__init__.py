"""How a network is computed, in two ways that agree: torch's operators, and blocks in C."""
