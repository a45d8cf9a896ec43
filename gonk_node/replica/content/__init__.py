"""Which content a node wants, takes and offers. Bytes are moved by `node` and `net`."""
