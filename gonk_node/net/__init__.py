"""Sessions and content over the network (aiohttp)."""
