"""Datasets in and out: what importers yield, signed; what exporters write, read from a State."""
