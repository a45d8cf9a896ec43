"""Label Studio's tasks in, and what both ways share: configs, shapes, masks."""
