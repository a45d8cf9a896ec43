"""Exports in pieces of bounded size: Parquet files, and tar files of WebDataset."""
