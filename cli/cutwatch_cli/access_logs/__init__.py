"""Generated access logs of a shop, with planted faults, and the comparison of models on them."""
