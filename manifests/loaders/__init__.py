"""Reading a dataset for training: selections of rows, batches in threads, torch datasets."""
