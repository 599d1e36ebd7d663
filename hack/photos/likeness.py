"""Whether two photos are the same one in another size, colour or compression: what is measured on is not learnt from."""

import numpy as np
from PIL import Image

SIDE = 16
ALIKE = 0.9


def look_of(image):
    """The photo as 16 × 16 greys with mean 0 and deviation 1."""
    small = np.asarray(image.convert("L").resize((SIDE, SIDE), Image.BOX), np.float32)
    return (small - small.mean()) / (small.std() + 1e-3)


def is_among(look, others):
    """Whether the photo of this look is one of those; their looks agree by their correlation."""
    return any((look * other).mean() > ALIKE for other in others)
