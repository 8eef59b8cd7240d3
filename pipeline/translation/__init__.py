"""Translating what a user has: images, folders, videos, a camera; by a snapshot alone, in both directions."""
