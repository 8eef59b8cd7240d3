"""A dataset in the forms that other tools read."""
