"""Where images come from: one module per source, and the only readers of image files."""
