"""Parquet in: gonk's own tables, and image datasets of Hugging Face."""
