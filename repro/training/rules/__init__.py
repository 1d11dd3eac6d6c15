"""The rules by which the training faces of an epoch are weighted, each with its formula."""
