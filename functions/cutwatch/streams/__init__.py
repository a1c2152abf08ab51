"""Records of a stream: decoding, windows, a forest per key, incidents without look-ahead."""
