"""One dataset on this node: the write path, and questions about its State."""
