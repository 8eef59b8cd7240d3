"""Pitch scenes drawn from an exact camera model: segmentation images with metadata, and photo-like pictures."""
