"""Types of numpy arrays. Functions without the numpy layer must not import this module."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Seconds since 1970, UTC.
Epochs = NDArray[np.int64]
