"""CVAT's XML in, for images and for video."""
