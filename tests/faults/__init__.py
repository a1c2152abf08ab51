"""Every call of a training and of a transform, with everything that can befall it."""
