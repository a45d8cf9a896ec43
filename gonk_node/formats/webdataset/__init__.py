"""WebDataset in: shards of gonk's own and of other programs."""
