"""Tables of a study: what they say, and each format in which they are printed."""
