"""COCO in."""
