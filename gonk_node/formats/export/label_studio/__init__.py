"""Label Studio's tasks out, with the labelling config that shows them."""
