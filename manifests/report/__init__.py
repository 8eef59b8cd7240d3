"""A page to look at a dataset with: one file that needs nothing else, no server and no network."""
