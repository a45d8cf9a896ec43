"""Bytes on disk: the only importer of LMDB and SQLite."""
