"""Pitch scenes drawn from an exact camera model: labels with camera metadata, and photo-like pictures."""
