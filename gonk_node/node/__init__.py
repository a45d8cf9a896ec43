"""The composition root: a node's folder opened, with its keys, content and datasets; and what runs on top of it."""
