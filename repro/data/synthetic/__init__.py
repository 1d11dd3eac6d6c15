"""The embedded data: faces, portraits, non-faces and scenes, drawn from parameters."""
