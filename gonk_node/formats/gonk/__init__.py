"""Gonk 0.1.4's own folder in: its log and its depot."""
