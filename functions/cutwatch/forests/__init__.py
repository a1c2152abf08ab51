"""Random Cut Forests that run inside Lambda."""
