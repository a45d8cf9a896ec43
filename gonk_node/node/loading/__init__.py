"""Datasets for programs: samples with typed annotations, and the frames, files and loaders that libraries want of them.

Reads only; what signs is the command line and the HTTP API. Libraries beyond gonk's own are imported when they are asked for.
"""
