"""What a dataset is: records, Parquet, versions, verification, loaders. Knows neither gan nor pipeline."""
