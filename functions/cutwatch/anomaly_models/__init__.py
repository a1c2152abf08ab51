"""Models that give rows anomaly scores: Random Cut Forest, dynamic harmonic regression, one-class SVM."""
