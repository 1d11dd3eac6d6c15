"""Tables of a study: their content, and the formats in which they are printed."""
