"""Releases, and the State at past heads: made, found, verified and compared."""
