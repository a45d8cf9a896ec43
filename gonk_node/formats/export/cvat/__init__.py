"""CVAT's XML out, for images and for video."""
