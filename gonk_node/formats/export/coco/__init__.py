"""COCO out."""
