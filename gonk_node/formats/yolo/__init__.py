"""YOLO in: detect, segment, pose and OBB; and what both ways share."""
