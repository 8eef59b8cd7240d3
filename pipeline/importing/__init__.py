"""Snapshots from generators that were trained with other repositories."""
