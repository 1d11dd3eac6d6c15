"""Sources of images: one module per source, and the only readers of image files."""
